using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Attribution.Tests.Replay;

/// <summary>The source `exact` is retraining, and `sampled` with the whole batch is `exact`: to the bit.</summary>
public sealed class ExactReplayTests
{
    public static TheoryData<string> Optimizers => ["sgd", "sgd, clipped", "sgd, no momentum", "adamw", "adamw, clipped", "mixed"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Exact_replay_is_retraining_without_the_stage(string optimizer)
    {
        using var trajectory = Train(optimizer);
        for (var stage = 0; stage < 3; stage++)
        {
            var retrained = trajectory.RetrainWithout(stage);
            Assert.NotEqual(trajectory.Final(), retrained);
            Assert.Equal(retrained, SmallRun.ReplayWithout(trajectory, "exact", stage));
            Assert.Equal(retrained, SmallRun.ReplayWithout(trajectory, "sampled", stage, rho: 1));
        }
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Exact_replay_is_retraining_without_the_steps(string optimizer)
    {
        using var trajectory = Train(optimizer);
        for (var stage = 0; stage < 3; stage++)
        {
            var counterfactual = Counterfactual.WithoutSteps("two steps", stage, [2, 4]);
            var retrained = trajectory.Retrain((index, step) => index == stage && (step.StageStep is 2 or 4));
            Assert.NotEqual(trajectory.Final(), retrained);
            Assert.Equal(retrained, SmallRun.Replay(trajectory, "exact", counterfactual));
            Assert.Equal(retrained, SmallRun.Replay(trajectory, "sampled", counterfactual, rho: 1));
        }
    }

    [Fact]
    public void Micro_batches_belong_to_the_bits()
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3, (_, section) => section with { MicroBatchSize = 3 });
        Assert.Equal(trajectory.RetrainWithout(0), SmallRun.ReplayWithout(trajectory, "exact", 0));
        Assert.Equal(trajectory.RetrainWithout(0), SmallRun.ReplayWithout(trajectory, "sampled", 0, rho: 1));
    }

    [Fact]
    public void Leaving_out_the_last_stage_is_the_state_before_it()
    {
        using var scope = NewDisposeScope();
        using var trajectory = Train("adamw");
        Assert.Equal(trajectory.StateBefore(2).ToArray<double>(), SmallRun.ReplayWithout(trajectory, "exact", 2));
        Assert.Equal(trajectory.StateBefore(2).ToArray<double>(), SmallRun.ReplayWithout(trajectory, "recorded", 2));
    }

    [Fact]
    public void Leaving_out_every_stage_is_the_state_before_the_run()
    {
        using var scope = NewDisposeScope();
        using var trajectory = Train("mixed");
        var nothing = new Counterfactual("nothing", new Dictionary<int, IReadOnlySet<int>?> { [0] = null, [1] = null, [2] = null });
        Assert.Equal(trajectory.StateBefore(0).ToArray<double>(), SmallRun.Replay(trajectory, "exact", nothing));
        var two = new Counterfactual("two", new Dictionary<int, IReadOnlySet<int>?> { [0] = null, [2] = null });
        Assert.Equal(trajectory.Retrain((stage, _) => stage != 1), SmallRun.Replay(trajectory, "exact", two));
    }

    [Theory]
    [InlineData("recorded")]
    [InlineData("linear")]
    [InlineData("midpoint")]
    [InlineData("sampled")]
    [InlineData("exact")]
    public void Leaving_nothing_out_is_the_observed_run(string source)
    {
        using var trajectory = Train("adamw, clipped");
        Assert.Equal(trajectory.Final(), SmallRun.Replay(trajectory, source, Counterfactual.WithoutSteps("none", 0, [])));
    }

    private static RetrainableTrajectory Train(string optimizer) => SmallRun.Train(
        optimizer.StartsWith("adamw", StringComparison.Ordinal) ? SmallRun.AdamW : SmallRun.Sgd,
        cubic: 0.3,
        (stage, section) => optimizer switch
        {
            "sgd, no momentum" => section with { Optimizer = section.Optimizer with { Momentum = 0 } },
            "mixed" when stage == 1 => section with { Optimizer = SmallRun.AdamW, Schedule = SmallRun.Cosine },
            "mixed" when stage == 2 => section with { Schedule = new ScheduleSection() },
            _ when optimizer.EndsWith("clipped", StringComparison.Ordinal) =>
                section with { Optimizer = section.Optimizer with { ClipNorm = 1.5 } },
            _ => section,
        });
}
