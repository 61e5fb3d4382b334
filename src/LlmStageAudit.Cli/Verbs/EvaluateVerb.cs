using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Cli.Verbs;

internal static class EvaluateVerb
{
    private static readonly Argument<string?> s_run =
        new("run") { Description = "A run folder: its final state is evaluated", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> s_model = new("--model") { Description = "A Hugging Face model folder" };
    private static readonly Option<string?> s_adapter = new("--adapter") { Description = "A PEFT adapter folder for --model" };
    private static readonly Option<bool> s_perExample = new("--per-example") { Description = "Also each example's scores" };

    public static Command Build() => Verb.Of(
        "evaluate",
        "Computes performance functions and group metrics of a run, or of any Hugging Face folder and PEFT adapter.",
        [
            "stageaudit evaluate runs/a --probe probes/identity.yaml",
            "stageaudit evaluate --model models/pythia-70m --adapter runs/a/stages/02-race/state --probe probes/identity.yaml --json"
        ],
        [s_run, s_model, s_adapter, .. ProbeOptions.All, s_perExample, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var (probe, unlabelled) = (ProbeOptions.Read(context), context.Get(ProbeOptions.Unlabelled));
        var (run, model) = (context.Get(s_run), context.Get(s_model));
        if ((run is null) == (model is null))
            throw ConfigurationException.At(
                "evaluate", run is null ? "neither a run nor --model" : "both a run and --model", "one of them");
        EvaluateRequest request = run is not null
            ? new EvaluateRequest.OfRun(run) { Probe = probe, Unlabelled = unlabelled }
            : new EvaluateRequest.OfModel(model!, context.Get(s_adapter)) { Probe = probe, Unlabelled = unlabelled };
        var evaluation = EvaluateHop.Run(request, context.Host);
        var scores = evaluation.Scores;
        context.Print(
            new
            {
                Probe = evaluation.Probe.Name,
                Examples = scores.Examples.Count,
                evaluation.Metric,
                scores.Mean,
                scores.Metrics,
                Groups = scores.Groups.Zip(
                    evaluation.Backgrounds,
                    (group, background) => new { group.Group, group.Examples, Background = background, group.Metrics }),
                PerExample = context.Get(s_perExample) ? scores.Examples : null,
            },
            () =>
            {
                context.Out.WriteLine(
                    $"{evaluation.Probe.Name}: {scores.Examples.Count} examples, mean {evaluation.Metric} {Numbers.Plain(scores.Mean)}");
                WriteTables(context, scores);
            });
    }

    private static void WriteTables(VerbContext context, ProbeScores scores)
    {
        context.WriteTable(scores.Metrics, ("metric", metric => metric.Key), (">value", metric => Numbers.Plain(metric.Value)));
        if (scores.Groups.Count > 0)
        {
            context.WriteTable(
                scores.Groups,
                [
                    ("group", group => group.Group),
                    (">examples", group => $"{group.Examples}"),
                    .. scores.Groups[0].Metrics.Keys.Select(name =>
                        (">" + name, (Func<GroupScores, string?>)(group => Numbers.Plain(group.Metrics[name])))),
                ]);
        }

        if (!context.Get(s_perExample)) return;
        context.WriteTable(
            scores.Examples,
            ("id", example => example.Id),
            (">value", example => Numbers.Plain(example.Value)),
            (">log-likelihood", example => Numbers.Plain(example.LogLikelihood)),
            ("logits", example => string.Join("  ", (example.Logits ?? []).Select(Numbers.Plain))));
    }
}
