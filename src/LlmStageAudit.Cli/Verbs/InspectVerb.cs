using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

internal static class InspectVerb
{
    private static readonly Argument<string> s_path =
        new("path") { Description = "A run, a model or adapter folder, a safetensors file, a trajectory log, or a result file" };

    public static Command Build() => Verb.Of(
        "inspect",
        "Says what a path is: a run, a trajectory log, a model, an adapter, a safetensors file, a plan or another result.",
        [
            "stageaudit inspect runs/a",
            "stageaudit inspect runs/a/stages/01-religion/trajectory.log",
            "stageaudit inspect models/pythia-70m --json"
        ],
        [s_path],
        Run);

    private static void Run(VerbContext context)
    {
        var facts = InspectHop.Run(context.Get(s_path), context.Host);
        var shown = JsonSerializer.SerializeToElement(facts, ArtifactJson.Options).EnumerateObject();
        context.Print(facts, () => context.WriteFacts(shown.Select(fact => (fact.Name, Shown(fact.Value)))));
    }

    private static string? Shown(JsonElement fact) => fact.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Array => string.Join(Environment.NewLine, fact.EnumerateArray().Select(Shown)),
        JsonValueKind.Object => string.Join(", ", fact.EnumerateObject()
            .Where(part => part.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object))
            .Select(part => $"{part.Name} {Shown(part.Value)}")),
        JsonValueKind.Number when fact.TryGetDouble(out var number) && number != Math.Round(number) => Numbers.Plain(number),
        _ => fact.ToString(),
    };
}
