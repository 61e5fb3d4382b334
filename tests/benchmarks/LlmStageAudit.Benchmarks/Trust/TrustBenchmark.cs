using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>The grades of trust against what retraining says, over runs from tame to wild.</summary>
internal static class TrustBenchmark
{
    public const string StepScores = "step scores";
    private static readonly string[] s_sources = ["recorded", "linear", "midpoint", "sampled-0.25", "adjoint"];

    /// <summary>Sets of steps skipped inside their jobs: halves of two neighbours, the middle of one and a single one.</summary>
    private static readonly string[] s_steps = ["9-24", "5-12", "21"];

    public static void Run()
    {
        // Products of such sizes gain nothing from more threads.
        set_num_threads(1);
        var effects = new List<CheckedEffect>();
        foreach (var setting in CalibrationSetting.All)
        {
            using var scope = NewDisposeScope();
            using var calibration = CalibrationRun.Train(setting);
            foreach (var request in new[] { new AttributionRequest(), new AttributionRequest { Treatment = new Treatment.Steps(s_steps) } })
                effects.AddRange(OfQuestions(setting, calibration, request));
            effects.Add(OfSteps(setting, calibration));
            Console.Error.WriteLine($"trust: {setting.Name}, seed {setting.Seed} done");
        }

        TrustReport.Write(effects);
    }

    private static IEnumerable<CheckedEffect> OfQuestions(
        CalibrationSetting setting, CalibrationRun calibration, AttributionRequest request)
    {
        var truth = Retrained(calibration, request.Counterfactuals(calibration.Run));
        foreach (var source in s_sources)
        {
            var found = Ask(calibration, request with { Estimator = Estimator.Parse(source) });
            foreach (var (i, effect) in found.Effects.Index())
            {
                // Nothing comes after the last stage: replay has nothing to estimate there.
                if (effect.Evidence!.Checks == 0) continue;
                double[] estimated = [.. effect.PerExample.Select(example => example.Estimate)];
                yield return Compare(setting, source, effect, found.Estimator is Estimator.Adjoint, estimated, truth[i]);
            }
        }
    }

    /// <summary>All step scores of a sweep, as one list, against skipping each step.</summary>
    private static CheckedEffect OfSteps(CalibrationSetting setting, CalibrationRun calibration)
    {
        var found = Ask(calibration, new AttributionRequest { Estimator = Estimator.Parse("adjoint"), Treatment = Treatment.Of("step") });
        var questions = new AttributionRequest { Treatment = Treatment.Of("step") }.Counterfactuals(calibration.Run);
        double[] truth = [.. Retrained(calibration, questions).Select(values => values.Average())];
        return Compare(
            setting,
            StepScores,
            found.Effects[0] with { Stage = "every step" },
            linear: false,
            [.. found.Effects.Select(effect => effect.Estimate)],
            truth);
    }

    private static EffectsArtifact Ask(CalibrationRun calibration, AttributionRequest request) =>
        StageAttribution.Attribute(new(calibration.Run, calibration.Probe, request));

    private static CheckedEffect Compare(
        CalibrationSetting setting, string source, StageEffect effect, bool linear, double[] estimated, double[] truth)
    {
        var predicted = effect.Evidence!.PredictedError!.Value + (linear ? effect.Evidence.LinearityGap!.Value : 0);
        return new CheckedEffect(
            setting,
            source,
            effect.Stage,
            effect.Trust,
            predicted,
            Correlation.RelativeError(estimated, truth),
            Correlation.Pearson(estimated, truth));
    }

    /// <summary>Effects on the probe's examples by exact replay, one list per question.</summary>
    private static double[][] Retrained(CalibrationRun calibration, IReadOnlyList<Counterfactual> questions)
    {
        using var scope = NewDisposeScope();
        var evaluator = new ProbeEvaluator(calibration.Run.Model, calibration.Probe);
        var observed = evaluator.Evaluate(calibration.Run.FinalState());
        var replay = new CounterfactualReplay(calibration.Run, CounterfactualGradients.From(GradientSource.Of("exact"), 0))
        {
            ShareBase = true,
            VariantsPerPass = 16,
        };
        return
        [
            .. replay.Run(questions, null, default).Select(theta =>
                evaluator.Evaluate(theta).Examples.Zip(observed.Examples, (without, with) => with.Value - without.Value).ToArray()),
        ];
    }
}
