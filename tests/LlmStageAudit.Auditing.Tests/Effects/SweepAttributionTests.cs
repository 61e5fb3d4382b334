using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>The adjoint asked about steps, batches, examples and blocks of a real, tiny model.</summary>
public sealed class SweepAttributionTests : IDisposable
{
    private static readonly Estimator s_adjoint = Estimator.Parse("adjoint");

    private readonly TemporaryFolder _folder = new();
    private readonly TrainedRun _run;
    private readonly Probe _probe;

    public SweepAttributionTests()
    {
        RunTrainer.Train(
            TinyRun.Write(_folder, TinyRun.Sgd with { LearningRate = 0.005 }, lora: true),
            _folder.At("run"),
            TestDevice.Current,
            null,
            default);
        _run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        _probe = ReadProbe(new Metric.LogLikelihood());
    }

    [Fact]
    public void Step_scores_come_close_to_true_skips()
    {
        double[] Estimates(Estimator estimator) =>
            [.. Ask(new AttributionRequest { Estimator = estimator, Treatment = Treatment.Of("step") }).Effects.Select(effect => effect.Estimate)];
        var truth = Estimates(Estimator.Exact);
        Assert.True(Vectors.RelativeDistance(truth, Estimates(s_adjoint)) < 0.2);
    }

    [Fact]
    public void Every_step_is_named_graded_and_has_no_interval()
    {
        var effects = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("step") });
        Assert.Equal(Enumerable.Range(1, effects.Effects.Count), effects.Effects.Select(effect => effect.FirstStep!.Value));
        Assert.Equal("steps", effects.Treatment.Kind);
        Assert.All(effects.Effects, effect =>
        {
            Assert.Equal($"step {effect.FirstStep}", effect.Stage);
            Assert.Null(effect.Low);
            Assert.Contains(effect.Trust, new[] { TrustGrade.Medium, TrustGrade.Low });
            Assert.NotEmpty(effect.Evidence!.Reason);
        });
    }

    /// <summary>The interval over parts of the probe against the bootstrap over its examples, which a forward propagation has.</summary>
    [Fact]
    public void Folds_give_scores_an_interval()
    {
        var plain = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("step") });
        var folded = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("step"), Folds = 5 });
        var scale = plain.Effects.Max(effect => Math.Abs(effect.Estimate));
        Assert.All(plain.Effects.Zip(folded.Effects), pair => Assert.Equal(pair.First.Estimate, pair.Second.Estimate, 1e-4 * scale));
        Assert.True(folded.GradientEquivalents > plain.GradientEquivalents);
        string[] asked = ["2", "5", "8"];
        var forward = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = new Treatment.Steps(asked) }).Effects;
        var ratios = asked.Zip(forward, (step, effect) =>
        {
            var own = folded.Effects[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture) - 1];
            Assert.Equal(effect.Estimate, own.Estimate, 1e-3 * scale);
            Assert.Equal(own.Estimate, (own.Low!.Value + own.High!.Value) / 2, 1e-9);
            return (own.High.Value - own.Low.Value) / (effect.High!.Value - effect.Low!.Value);
        });
        // Five parts know the spread to a factor; t with four degrees of freedom widens by 2.78 / 1.96.
        Assert.All(ratios, ratio => Assert.InRange(ratio, 0.3, 4));
    }

    [Fact]
    public void Examples_add_up_to_batches_in_folds_too()
    {
        var batches = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("batch"), Folds = 3 }).Effects;
        var examples = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("example"), Folds = 3 }).Effects;
        Assert.Equal(
            batches.Sum(effect => effect.Estimate),
            examples.Sum(effect => effect.Estimate),
            1e-4 * batches.Sum(effect => Math.Abs(effect.Estimate)));
        Assert.All(examples.Concat(batches), effect => Assert.InRange(effect.Estimate, effect.Low!.Value, effect.High!.Value));
    }

    [Fact]
    public void Examples_add_up_to_batches()
    {
        var batches = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("batch") }).Effects;
        var examples = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("example") }).Effects;
        var before = 0;
        for (var stage = 0; stage < _run.Programs.Count; stage++)
        {
            var program = _run.Programs[stage];
            var sum = batches.Skip(before).Take(program.Steps.Count).Sum(effect => effect.Estimate);
            var own = examples.Where(effect => effect.Stage == program.Name).ToArray();
            Assert.Equal(_run.Materials.ExampleSets[stage].Examples.Select(example => example.Id), own.Select(effect => effect.Example));
            Assert.Equal(sum, own.Sum(effect => effect.Estimate), 1e-5 * batches.Sum(effect => Math.Abs(effect.Estimate)));
            before += program.Steps.Count;
        }
    }

    [Fact]
    public void A_later_partition_is_answered_from_the_sweep_that_was_filed()
    {
        var total = _run.Programs.Sum(program => program.Steps.Count);
        string[] many = [.. Enumerable.Range(1, 9).Select(first => $"{first}-{Math.Min(first + 3, total)}")];
        var forward = many.Select(steps => Ask(Of([steps])).Effects[0]).ToArray();
        var swept = Ask(Of(many));
        Assert.True(swept.GradientEquivalents > 0);
        var scale = forward.Max(effect => Math.Abs(effect.Estimate));
        Assert.All(forward.Zip(swept.Effects), pair =>
        {
            Assert.Equal(pair.First.Stage, pair.Second.Stage);
            Assert.NotNull(pair.First.Low);
            Assert.Equal(pair.First.Estimate, pair.Second.Estimate, 1e-3 * scale);
        });
        var again = Ask(Of([.. many.Reverse()]));
        Assert.Equal(0, again.GradientEquivalents);
        Assert.Equal(swept.Effects.Select(effect => effect.Estimate), again.Effects.Reverse().Select(effect => effect.Estimate));

        AttributionRequest Of(string[] steps) => new() { Estimator = s_adjoint, Treatment = new Treatment.Steps(steps) };
    }

    /// <summary>Right for single steps says nothing of a sum: the largest stage is exact, others are no better than it turned out.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_largest_sum_over_a_whole_stage_is_settled_by_exact_replay(bool bySteps)
    {
        Treatment treatment = bySteps ? new Treatment.Steps() : new Treatment.Stage();
        var truth = Ask(new AttributionRequest { Treatment = treatment }).Effects;
        var found = Ask(new AttributionRequest { Estimator = s_adjoint, Treatment = treatment });
        var settled = Assert.Single(found.Effects, effect => effect.Estimator is not null);
        Assert.Equal((Estimator.Exact, TrustGrade.Exact), (settled.Estimator, settled.Trust));
        Assert.Equal(truth.Single(effect => effect.Stage == settled.Stage).PerExample, settled.PerExample);
        Assert.NotEqual(settled.Estimate, settled.Screened);
        var others = found.Effects.Where(effect => effect != settled).ToArray();
        Assert.All(others, effect => Assert.True(Math.Abs(effect.Estimate) <= Math.Abs(settled.Screened!.Value)));
        Assert.All(others, effect => Assert.NotEqual(TrustGrade.Exact, effect.Trust));
    }

    /// <summary>One row is all that a stage was trained on: AdamW's derivative by its weight is 0, the stage's effect is not.</summary>
    [Theory]
    [InlineData("example")]
    [InlineData("batch")]
    public void A_derivative_that_cannot_see_its_stage_is_refused_and_exact_replay_offered(string level)
    {
        foreach (var adamW in new[] { true, false })
        {
            var configuration = TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd, lora: true);
            // A single batch of a single row.
            StageSection One(StageSection stage) =>
                stage with { Dataset = stage.Dataset with { Limit = 1 }, Epochs = 1, Schedule = new ScheduleSection() };
            configuration = configuration with { Stages = [One(configuration.Stages[0]), .. configuration.Stages.Skip(1)] };
            var folder = _folder.At($"one-{adamW}-{level}");
            RunTrainer.Train(configuration, folder, TestDevice.Current, null, default);
            using var run = TrainedRun.Open(folder, TestDevice.Current);
            using var scope = NewDisposeScope();
            var probe = ReadProbe(new Metric.LogLikelihood(), run);
            var found = StageAttribution.Attribute(
                new(run, probe, new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of(level) })).Effects;
            Assert.Equal(adamW, double.IsNaN(found[0].Estimate));
            Assert.All(found.Skip(1), effect => Assert.True(double.IsFinite(effect.Estimate)));
            Assert.All(found, effect => Assert.Equal(TrustGrade.Unknown, effect.Trust));
            Assert.Equal(adamW, found[0].Evidence!.Settle?.Contains("leaving out first", StringComparison.Ordinal) == true);
            var exact = StageAttribution.Attribute(new(run, probe, new AttributionRequest())).Effects[0];
            Assert.NotEqual(0, exact.Estimate);
        }
    }

    [Fact]
    public void A_metric_without_gradient_is_refused_for_sweeps()
    {
        var probe = ReadProbe(new Metric.SubgroupAuc());
        var error = Assert.Throws<AttributionException>(
            () => StageAttribution.Attribute(new(_run, probe, new AttributionRequest { Estimator = s_adjoint, Treatment = Treatment.Of("step") })));
        Assert.Contains("has no gradient", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    private EffectsArtifact Ask(AttributionRequest request) => StageAttribution.Attribute(new(_run, _probe, request));

    private Probe ReadProbe(Metric metric) => ReadProbe(metric, _run);

    private Probe ReadProbe(Metric metric, TrainedRun run) => Probe.Read(
        new ProbeConfiguration
        {
            Name = "probe",
            Path = _folder.At("probe.yaml"),
            Dataset = new DatasetSection { Path = TinyRun.WriteRows(_folder, "probe.jsonl", "probe", 12), Ids = "ids" },
            Metric = metric,
        },
        run.Model,
        run.Materials.Reader);
}
