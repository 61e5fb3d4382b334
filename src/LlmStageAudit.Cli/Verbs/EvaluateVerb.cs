using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

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
        using var scope = NewDisposeScope();
        if (run is not null)
        {
            using var trained = TrainedRun.Open(run, context.Device);
            Evaluate(context, configuration, trained.Model, trained.Materials.Reader, trained.FinalState());
        }
        else
        {
            var (opened, state) = ModelOpener.Open(model!, context.Get(s_adapter), configuration.Task, context.Device);
            foreach (var note in opened.Notes) context.Note(note);
            using (opened) Evaluate(context, configuration, opened, new ExampleReader(opened, null), state);
            state.Dispose();
        }

        return (int)ExitCode.Done;
    }

    private static void Evaluate(
        VerbContext context, ProbeConfiguration configuration, LanguageModel model, ExampleReader reader, Tensor state)
    {
        var probe = Probe.Read(configuration, model, reader, context.Get(ProbeOptions.Unlabelled));
        var scores = new ProbeEvaluator(model, probe).Evaluate(state);
        if (context.Json) WriteJson(context, probe, scores);
        else WriteTables(context, probe, scores);
    }

    private static void WriteJson(VerbContext context, Probe probe, ProbeScores scores) => context.WriteJson(new
    {
        SchemaVersion = 1,
        Probe = probe.Reference.Name,
        Examples = scores.Examples.Count,
        Metric = probe.Performance.Name,
        scores.Mean,
        scores.Metrics,
        Groups = scores.Groups.Zip(
            probe.Groups,
            (group, members) => new { group.Group, group.Examples, Background = members.Background.Count(), group.Metrics }),
        PerExample = context.Get(s_perExample) ? scores.Examples : null,
    });

    private static void WriteTables(VerbContext context, Probe probe, ProbeScores scores)
    {
        context.Out.WriteLine(
            $"{probe.Reference.Name}: {scores.Examples.Count} examples, mean {probe.Performance.Name} {Numbers.Plain(scores.Mean)}");
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
