using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;

namespace LlmStageAudit.Cli.Verbs;

internal static class MergeVerb
{
    private static readonly Option<string> s_model = new("--model") { Description = "The base model folder", Required = true };
    private static readonly Option<string> s_adapter = new("--adapter") { Description = "The PEFT adapter folder", Required = true };
    private static readonly Option<string> s_out =
        new("--out", "-o") { Description = "The model folder to write; must not exist", Required = true };

    public static Command Build() => Verb.Of(
        "merge",
        "Folds an adapter into its base model: one Hugging Face folder in float32 with the same logits.",
        ["stageaudit merge --model models/pythia-70m --adapter runs/a/stages/02-race/state --out models/merged"],
        [s_model, s_adapter, s_out, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var model = MergeHop.Run(
            new MergeRequest(context.Get(s_model)!, context.Get(s_adapter)!, context.Get(s_out)!), context.Host);
        context.Print(new { Model = model }, () => context.Out.WriteLine(model));
    }
}
