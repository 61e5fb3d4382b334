using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;

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
        [s_run, s_model, s_adapter, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_perExample, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        var configuration = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!);
        var (run, model) = (context.Get(s_run), context.Get(s_model));
        if ((run is null) == (model is null))
            throw ConfigurationException.At(
                "evaluate", run is null ? "neither a run nor --model" : "both a run and --model", "one of them");
        EvaluateRequest request = run is not null
            ? new EvaluateRequest.OfRun(run) { Probe = configuration, Unlabelled = context.Get(ProbeOptions.Unlabelled) }
            : new EvaluateRequest.OfModel(model!, context.Get(s_adapter))
            {
                Probe = configuration,
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
            };
        var evaluation = EvaluateHop.Run(request, context.Host);
        if (context.Json) WriteJson(context, evaluation);
        else WriteTables(context, evaluation);
        return (int)ExitCode.Done;
    }

    private static void WriteJson(VerbContext context, Evaluation evaluation) => context.WriteJson(new
    {
        SchemaVersion = 1,
        Probe = evaluation.Probe.Name,
        Examples = evaluation.Scores.Examples.Count,
        evaluation.Metric,
        evaluation.Scores.Mean,
        evaluation.Scores.Metrics,
        Groups = evaluation.Scores.Groups.Zip(
            evaluation.Backgrounds, (group, background) => new { group.Group, group.Examples, Background = background, group.Metrics }),
        PerExample = context.Get(s_perExample) ? evaluation.Scores.Examples : null,
    });

    private static void WriteTables(VerbContext context, Evaluation evaluation)
    {
        var scores = evaluation.Scores;
        context.Out.WriteLine(
            $"{evaluation.Probe.Name}: {scores.Examples.Count} examples, mean {evaluation.Metric} {Numbers.Plain(scores.Mean)}");
        context.WriteTable(
            ["metric", ">value"],
            scores.Metrics.Select(metric => (IReadOnlyList<string>)[metric.Key, Numbers.Plain(metric.Value)]));
        if (scores.Groups.Count > 0)
        {
            var names = scores.Groups[0].Metrics.Keys.ToArray();
            context.WriteTable(
                ["group", ">examples", .. names.Select(name => ">" + name)],
                scores.Groups.Select(group => (IReadOnlyList<string>)
                [
                    group.Group,
                    $"{group.Examples}",
                    .. names.Select(name => Numbers.Plain(group.Metrics[name]))
                ]));
        }

        if (!context.Get(s_perExample)) return;
        context.WriteTable(
            ["id", ">value", ">log-likelihood", "logits"],
            scores.Examples.Select(example => (IReadOnlyList<string>)
            [
                example.Id,
                Numbers.Plain(example.Value),
                Numbers.Plain(example.LogLikelihood),
                string.Join("  ", (example.Logits ?? []).Select(Numbers.Plain))
            ]));
    }
}
