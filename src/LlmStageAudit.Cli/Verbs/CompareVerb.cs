using System.CommandLine;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
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

    private static readonly Option<string> s_level = Verb.Option(
        "--level",
        "stage: each stage left out, compared over the probe's examples; step: single steps left out, compared over steps",
        "stage");

    private static readonly Option<int?> s_sample =
        new("--sample") { Description = $"With --level step: how many steps, drawn by the run's seed ({DefaultSample})" };

    public static Command Build() => Verb.Of(
        "compare",
        "Holds estimators against retraining on one run: correlation and error of the effects they predict, and what each costs.",
        [
            "stageaudit compare runs/a --probe probes/identity.yaml",
            "stageaudit compare runs/a --probe probes/identity.yaml --estimators recorded,midpoint,sampled-0.1 --json",
            "stageaudit compare runs/a --probe probes/identity.yaml --level step --sample 20",
        ],
        [RunOptions.Run, .. ProbeOptions.All, s_estimators, s_level, s_sample, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var ofSteps = Level(context) == "step";
        var names = context.Get(s_estimators) ?? string.Join(',', ofSteps ? EstimatorList.OfSteps : EstimatorList.OfStages);
        var estimators = EstimatorList.Parse(names);
        var filed = CompareHop.Run(
            new CompareRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeOptions.Read(context),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Estimators = estimators,
                SampledSteps = SampledSteps(context, ofSteps),
                Compared = estimator => Say(context, estimator),
            },
            context.Host);
        var (comparison, path) = (filed.Record, filed.Path);
        context.Print(
            new
            {
                comparison.RunId,
                Probe = comparison.Probe.Name,
                comparison.Probe.Examples,
                Level = comparison.Treatment,
                comparison.Metric,
                comparison.TrainingSteps,
                comparison.TrainingSeconds,
                comparison.Estimators,
                File = path,
            },
            () => Print(context, comparison, path));
    }

    private static string Level(VerbContext context)
    {
        var level = context.Get(s_level)!;
        if (s_levels.Contains(level)) return level;
        throw ConfigurationException.At("--level", $"'{level}'", "stage or step", Suggestion.For(level, s_levels));
    }

    private static int? SampledSteps(VerbContext context, bool ofSteps)
    {
        if (context.Get(s_sample) is not { } sample) return ofSteps ? DefaultSample : null;
        if (!ofSteps)
            throw ConfigurationException.At(
                "--sample", "at level stage every stage is compared", null, "add --level step, or leave it out");
        return sample >= 1 ? sample : throw ConfigurationException.At("--sample", $"'{sample}'", "a number of steps, at least 1");
    }

    private static void Say(VerbContext context, ComparedEstimator estimator)
    {
        if (estimator.Failure is { } failure) context.Warn(new Warning("estimator-failed", $"{estimator.Estimator}: {failure}"));
        else context.Note($"{estimator.Estimator}: {Numbers.Seconds(estimator.Seconds)}");
    }

    private static void Print(VerbContext context, ComparisonArtifact comparison, string path)
    {
        var of = $"mean {comparison.Metric} of {comparison.Probe.Name} ({comparison.Probe.Examples} examples)";
        context.Out.WriteLine($"Effects on {of}, estimated against retraining. Exact replay is retraining: the same bits.");
        context.Out.WriteLine(comparison.Treatment is Treatment.Stage
            ? "Agreement over the examples, mean over the stages; cost against the run's training:"
            : $"Agreement over {comparison.Estimators[0].Effects.Count} single steps left out; cost against the run's training:");
        context.WriteTable(
            comparison.Estimators,
            ("estimator", estimator => $"{estimator.Estimator}"),
            (">pearson", estimator => Shown(estimator.Pearson)),
            (">spearman", estimator => Shown(estimator.Spearman)),
            (">relative error", estimator => Shown(estimator.RelativeError)),
            (">trainings", estimator => Shown(estimator.Trainings)),
            (">seconds", estimator => Numbers.Seconds(estimator.Seconds)),
            (">of training's", estimator => Shown(estimator.Seconds / comparison.TrainingSeconds)));
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
                comparison.Estimators,
                [
                    ("estimator", estimator => $"{estimator.Estimator}"),
                    .. comparison.Estimators[0].Effects.Select((effect, stage) => (">" + effect.Stage,
                        (Func<ComparedEstimator, string?>)(estimator =>
                            EffectOf(estimator, stage) is { } one ? Shown(figure(one)) : null))),
                ]);
        }
    }

    private static void PrintSteps(VerbContext context, ComparisonArtifact comparison)
    {
        context.Out.WriteLine("Effect of each step:");
        context.WriteTable(
            comparison.Estimators[0].Effects.Index(),
            [
                ("left out", row => row.Item.Stage),
                .. comparison.Estimators.Select(estimator => ($">{estimator.Estimator}",
                    (Func<(int Index, ComparedEffect Item), string?>)(row =>
                        EffectOf(estimator, row.Index) is { } effect ? Numbers.Plain(effect.Predicted) : null))),
            ]);
    }

    /// <summary>Null where the estimator failed.</summary>
    private static ComparedEffect? EffectOf(ComparedEstimator estimator, int index) => estimator.Effects.ElementAtOrDefault(index);

    private static string? Shown(double? value) => value is { } known && !double.IsNaN(known) ? Numbers.Plain(known) : null;
}
