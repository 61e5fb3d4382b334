using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>What attribution may not depend on: micro-batches, threads, whether a run was broken off and resumed.</summary>
public sealed class IndependenceTests : IDisposable
{
    /// <summary>Of single precision, on effects that are differences.</summary>
    private const double Tolerance = 2e-3;

    private static readonly AttributionRequest[] s_requests =
    [
        new() { Estimator = Estimator.Parse("recorded") },
        new() { Estimator = Estimator.Parse("sampled-0.5") },
        new() { Estimator = Estimator.Parse("adjoint") },
        new() { Estimator = Estimator.Parse("aa-score") },
        new() { Estimator = Estimator.Parse("dvemb") },
        new() { Estimator = Estimator.Parse("adjoint"), Treatment = Treatment.Of("step") },
        new() { Estimator = Estimator.Parse("adjoint"), Treatment = Treatment.Of("example") },
    ];

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Micro_batches_and_threads_change_rounding_alone(bool adamW)
    {
        var configuration = TinyRun.Write(
            _folder, adamW ? TinyRun.AdamW with { LearningRate = 1e-3 } : TinyRun.Sgd with { LearningRate = 5e-3 });
        var parts = configuration with { Stages = [.. configuration.Stages.Select(stage => stage with { MicroBatchSize = 2 })] };
        RunTrainer.Train(configuration, _folder.At("whole"), TestDevice.Current, null, default);
        RunTrainer.Train(parts, _folder.At("parts"), TestDevice.Current, null, default);
        var expected = Effects("whole");
        Agree(expected, Effects("parts"));
        var threads = get_num_threads();
        try
        {
            set_num_threads(threads == 1 ? 2 : 1);
            Agree(expected, Effects("whole"));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void A_run_that_was_broken_off_and_resumed_has_the_same_effects_to_the_bit()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        RunTrainer.Train(configuration, _folder.At("straight"), TestDevice.Current, null, default);
        using (var stop = new CancellationTokenSource())
        {
            var progress = new Reports<RunProgress>(report => { if (report.Step == 7) stop.Cancel(); });
            Assert.Throws<TrainingException>(
                () => RunTrainer.Train(configuration, _folder.At("resumed"), TestDevice.Current, progress, stop.Token));
        }

        RunTrainer.Resume(_folder.At("resumed"), null, TestDevice.Current, null, default);
        Assert.Equal(Effects("straight"), Effects("resumed"));
    }

    public void Dispose() => _folder.Dispose();

    private static void Agree(double[][] expected, double[][] found)
    {
        for (var i = 0; i < expected.Length; i++) Vectors.Close(expected[i], found[i], Tolerance);
    }

    private double[][] Effects(string name)
    {
        using var run = TrainedRun.Open(_folder.At(name), TestDevice.Current);
        var probe = Probe.Read(
            new ProbeConfiguration
            {
                Name = "probe",
                Path = _folder.At("probe.yaml"),
                Dataset = new DatasetSection { Path = TinyRun.WriteRows(_folder, "probe.jsonl", "probe", 12), Ids = "ids" },
            },
            run.Model,
            run.Materials.Reader);
        return
        [
            .. s_requests.Select(request => StageAttribution.Attribute(new(run, probe, request)).Effects
                .SelectMany(effect => effect.PerExample.Select(example => example.Estimate).DefaultIfEmpty(effect.Estimate))
                .ToArray()),
        ];
    }
}
