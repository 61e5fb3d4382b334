using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>The grades of trust against what retraining says: on runs their margins are calibrated on, and on others.</summary>
internal static class TrustBenchmark
{
    public const string StepScores = "step scores";

    /// <summary>Runs of each kind where nothing is said.</summary>
    private const int DefaultRuns = 110;

    /// <summary>Skipping every step costs half the square of a run's steps.</summary>
    private const int MostSweptSteps = 32;

    private static readonly string[] s_sources = ["recorded", "sampled-0.25", "adjoint"];

    public static void Run(int runs = DefaultRuns)
    {
        // Products of such sizes gain nothing from more threads.
        TorchEngine.Require();
        TorchEngine.Threads = 1;
        var effects = new List<CheckedEffect>();
        foreach (var setting in new[] { false, true }.SelectMany(heldOut => CalibrationSetting.Drawn(heldOut, runs)))
        {
            using var scope = NewDisposeScope();
            using var calibration = CalibrationRun.Train(setting);
            effects.AddRange(OfQuestions(setting, calibration, new AttributionRequest()));
            effects.AddRange(OfQuestions(setting, calibration, new AttributionRequest { Treatment = new Treatment.Steps(Block(setting)) }));
            if (setting.Lengths.Sum() <= MostSweptSteps) effects.Add(OfSteps(setting, calibration));
            if (setting.Number % 10 == 0)
                Console.Error.WriteLine($"trust: {(setting.IsHeldOut ? "test" : "calibration")} {setting.Number}");
        }

        TrustReport.Write(effects, runs);
    }

    /// <summary>Some neighbouring steps of the run but its last.</summary>
    private static string Block(CalibrationSetting setting)
    {
        var random = StableRandom.For(setting.Seed, "block");
        var total = setting.Lengths.Sum();
        var first = 1 + random.Next(Math.Max(1, total - 1));
        return $"{first}-{Math.Min(total, first + random.Next(8))}";
    }

    private static IEnumerable<CheckedEffect> OfQuestions(
        CalibrationSetting setting, CalibrationRun calibration, AttributionRequest request)
    {
        var questions = request.Counterfactuals(calibration.Run);
        var plan = new CheckPlan(questions, calibration.Run.Programs);
        var truth = Retrained(calibration, questions);
        foreach (var source in s_sources)
        {
            var found = Ask(calibration, request with { Estimator = Estimator.Parse(source) });
            foreach (var (i, effect) in found.Effects.Index())
            {
                // Settled, or nothing to estimate.
                if (effect.Trust == TrustGrade.Exact || plan.MovingSteps(i) == 0 || truth[i].All(value => value == 0)) continue;
                double[] estimated = [.. effect.PerExample.Select(example => example.Estimate)];
                var (evidence, isLinear) = (effect.Evidence!, found.Estimator!.IsLinear);
                yield return new CheckedEffect(
                    setting, source, request.Treatment is Treatment.Stage ? effect.Stage : "steps", plan.MovingSteps(i), evidence.Checks,
                    effect.Trust, evidence.PredictedError + (isLinear ? evidence.LinearityGap : 0),
                    Correlation.RelativeError(estimated, truth[i]));
            }
        }
    }

    /// <summary>All step scores of a sweep, as one list, against skipping each step.</summary>
    private static CheckedEffect OfSteps(CalibrationSetting setting, CalibrationRun calibration)
    {
        var request = new AttributionRequest { Estimator = Estimator.Parse("adjoint"), Treatment = Treatment.Of("step") };
        var found = Ask(calibration, request);
        var questions = (request with { Estimator = Estimator.Exact }).Counterfactuals(calibration.Run);
        double[] truth = [.. Retrained(calibration, questions).Select(values => values.Average())];
        var first = found.Effects[0];
        var moving = calibration.Run.Programs.Sum(program => program.Steps.Count(step => step.LearningRate > 0));
        return new CheckedEffect(
            setting, StepScores, "every step", moving, first.Evidence!.Checks, first.Trust, first.Evidence.PredictedError,
            Correlation.RelativeError([.. found.Effects.Select(effect => effect.Estimate)], truth));
    }

    private static EffectsArtifact Ask(CalibrationRun calibration, AttributionRequest request) =>
        StageAttribution.Attribute(new(calibration.Run, calibration.Probe, request));

    /// <summary>Effects on the probe's examples by exact replay, one list per question.</summary>
    private static double[][] Retrained(CalibrationRun calibration, IReadOnlyList<Counterfactual> questions)
    {
        using var scope = NewDisposeScope();
        var evaluator = new ProbeEvaluator(calibration.Run.Model, calibration.Probe);
        var observed = evaluator.Evaluate(calibration.Run.FinalState());
        // One at a time: the bits of retraining.
        var replay = new CounterfactualReplay(calibration.Run, CounterfactualGradients.From(GradientSource.Of("exact"), 0))
        {
            ShareBase = false,
        };
        return
        [
            .. replay.Run(questions, null, default).Select(theta =>
                evaluator.Evaluate(theta).Examples.Zip(observed.Examples, (without, with) => with.Value - without.Value).ToArray()),
        ];
    }
}
