using System.CommandLine;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

internal static class CompareVerb
{
    private const int DefaultSample = 12;
    private static readonly string[] s_levels = ["stage", "step"];

    private static readonly Option<string?> s_estimators = new("--estimators", "-e")
    {
        Description = $"Names between commas. Default at level stage: {string.Join(',', EstimatorList.OfStages)}; "
            + $"at level step: {string.Join(',', EstimatorList.OfSteps)}",
    };

    private static readonly Option<string> s_level = new("--level")
    {
        Description = "stage: each stage left out, compared over the probe's examples; step: single steps left out, compared over steps",
        DefaultValueFactory = _ => "stage",
    };

    private static readonly Option<int?> s_sample = new("--sample")
    {
        Description = $"With --level step: how many steps, drawn by the run's seed ({DefaultSample})",
    };

    public static Command Build() => Verb.Of(
        "compare",
        "Holds estimators against retraining on one run: correlation and error of the effects they predict, and what each costs.",
        [
            "stageaudit compare runs/a --probe probes/identity.yaml",
            "stageaudit compare runs/a --probe probes/identity.yaml --estimators recorded,midpoint,sampled-0.1 --json",
            "stageaudit compare runs/a --probe probes/identity.yaml --level step --sample 20",
        ],
        [RunOptions.Run, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_estimators, s_level, s_sample, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        var ofSteps = Level(context) == "step";
        var names = context.Get(s_estimators) ?? string.Join(',', ofSteps ? EstimatorList.OfSteps : EstimatorList.OfStages);
        var estimators = EstimatorList.Parse(names);
        var sample = Sample(context, ofSteps);
        var filed = CompareHop.Run(
            new CompareRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Estimators = estimators,
                SampledSteps = ofSteps ? sample : null,
                Compared = estimator => Say(context, estimator),
            },
            context.Host);
        Print(context, filed.Record, filed.Path);
        return (int)ExitCode.Done;
    }

    private static string Level(VerbContext context)
    {
        var level = context.Get(s_level)!;
        if (s_levels.Contains(level)) return level;
        throw ConfigurationException.At("--level", $"'{level}'", "stage or step", Suggestion.For(level, s_levels));
    }

    private static int Sample(VerbContext context, bool ofSteps)
    {
        if (context.Get(s_sample) is not { } sample) return DefaultSample;
        if (!ofSteps)
            throw ConfigurationException.At(
                "--sample", "at level stage every stage is compared", null, "add --level step, or leave it out");
        return sample >= 1 ? sample : throw ConfigurationException.At("--sample", $"'{sample}'", "a number of steps, at least 1");
    }

    private static void Say(VerbContext context, ComparedEstimator estimator)
    {
        if (estimator.Failure is { } failure) context.Warn($"{estimator.Estimator}: {failure}");
        else context.Note($"{estimator.Estimator}: {Numbers.Seconds(estimator.Seconds)}");
    }

    private static void Print(VerbContext context, ComparisonArtifact comparison, string path)
    {
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
                comparison.RunId,
                Probe = comparison.Probe.Name,
                comparison.Probe.Examples,
                Level = comparison.Treatment,
                comparison.Metric,
                comparison.TrainingSteps,
                comparison.TrainingSeconds,
                comparison.Estimators,
                File = path,
            });
            return;
        }

        var of = $"mean {comparison.Metric} of {comparison.Probe.Name} ({comparison.Probe.Examples} examples)";
        context.Out.WriteLine($"Effects on {of}, estimated against retraining. Exact replay is retraining: the same bits.");
        context.Out.WriteLine(comparison.Treatment is Treatment.Stage
            ? "Agreement over the examples, mean over the stages; cost against the run's training:"
            : $"Agreement over {comparison.Estimators[0].Effects.Count} single steps left out; cost against the run's training:");
        context.WriteTable(
            ["estimator", ">pearson", ">spearman", ">relative error", ">trainings", ">seconds", ">of training's"],
            comparison.Estimators.Select(estimator => (IReadOnlyList<string>)
            [
                $"{estimator.Estimator}", Shown(estimator.Pearson), Shown(estimator.Spearman), Shown(estimator.RelativeError),
                Shown(estimator.Trainings), Numbers.Seconds(estimator.Seconds), Shown(estimator.Seconds / comparison.TrainingSeconds),
            ]));
        if (comparison.Treatment is Treatment.Stage) PrintStages(context, comparison);
        else PrintSteps(context, comparison);
        context.Note($"training: {comparison.TrainingSteps} steps, {Numbers.Seconds(comparison.TrainingSeconds)}; filed in {path}");
    }

    private static void PrintStages(VerbContext context, ComparisonArtifact comparison)
    {
        PrintFigure("Pearson", effect => effect.Pearson);
        PrintFigure("Spearman", effect => effect.Spearman);
        PrintFigure("Relative error", effect => effect.RelativeError);

        void PrintFigure(string name, Func<ComparedEffect, double?> figure)
        {
            context.Out.WriteLine($"{name}, by the stage left out:");
            context.WriteTable(
                ["estimator", .. comparison.Estimators[0].Effects.Select(effect => ">" + effect.Stage)],
                comparison.Estimators.Select(estimator => (IReadOnlyList<string>)
                    [$"{estimator.Estimator}", .. Cells(comparison, estimator, effect => Shown(figure(effect) ?? double.NaN))]));
        }
    }

    private static void PrintSteps(VerbContext context, ComparisonArtifact comparison)
    {
        context.Out.WriteLine("Effect of each step:");
        var columns = comparison.Estimators
            .Select(estimator => Cells(comparison, estimator, effect => Numbers.Plain(effect.Predicted)).ToArray()).ToArray();
        context.WriteTable(
            ["left out", .. comparison.Estimators.Select(estimator => ">" + estimator.Estimator)],
            comparison.Estimators[0].Effects.Select((effect, i) =>
                (IReadOnlyList<string>)[effect.Stage, .. columns.Select(column => column[i])]));
    }

    /// <summary>One per stage or step, also after a failure.</summary>
    private static IEnumerable<string> Cells(
        ComparisonArtifact comparison, ComparedEstimator estimator, Func<ComparedEffect, string> cell) =>
        comparison.Estimators[0].Effects.Select((_, i) => i < estimator.Effects.Count ? cell(estimator.Effects[i]) : "-");

    private static string Shown(double value) => double.IsNaN(value) ? "-" : Numbers.Plain(value);
}
