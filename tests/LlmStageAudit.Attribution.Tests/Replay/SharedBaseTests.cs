using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Stages;
using LlmStageAudit.Training;

namespace LlmStageAudit.Attribution.Tests.Replay;

/// <summary>Counterfactuals that go through a model together are those that go alone, but for rounding.</summary>
public sealed class SharedBaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private LanguageModel? _model;

    public static TheoryData<string> Sources => [.. GradientSource.Names];

    /// <summary>Five that differ from each other and from the run at the end of the second stage, and one that skips late.</summary>
    private static Counterfactual[] All { get; } =
    [
        Counterfactual.WithoutStage("first", 0),
        Counterfactual.WithoutSteps("early", 0, [1, 2]),
        Counterfactual.WithoutSteps("middle", 1, [1, 3]),
        Counterfactual.WithoutStage("second", 1),
        new("across", new Dictionary<int, IReadOnlySet<int>?> { [0] = new HashSet<int> { 3 }, [2] = new HashSet<int> { 1 } }),
        Counterfactual.WithoutSteps("late", 2, [2]),
    ];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Sharing_changes_nothing_but_rounding(string source)
    {
        foreach (var (dropout, microBatchSize) in new (double, int?)[] { (0, null), (0.3, 3) })
        {
            using var trajectory = Train(out var objective, dropout, microBatchSize);
            var alone = Replay(trajectory, source, All, share: false);
            Assert.Equal(All.Length, alone.Select(state => string.Join(' ', state)).Distinct().Count());
            foreach (var perPass in new[] { 8, 2, 1 })
            {
                objective.Passes.Clear();
                var together = Replay(trajectory, source, All, share: true, perPass);
                for (var i = 0; i < All.Length; i++) Vectors.Close(Change(trajectory, alone[i]), Change(trajectory, together[i]), 1e-8);
                if (source == "recorded") Assert.Empty(objective.Passes);
                else Assert.Equal(Math.Min(perPass, All.Length), objective.Passes.Max());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void One_counterfactual_goes_the_ordinary_way_to_the_bit(string source)
    {
        using var trajectory = Train(out var objective);
        var alone = Replay(trajectory, source, [All[0]], share: false);
        objective.Passes.Clear();
        Assert.Equal(alone[0], Replay(trajectory, source, [All[0]], share: true)[0]);
        Assert.All(objective.Passes, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData("linear", 0.5, true)]
    [InlineData("midpoint", 0.5, true)]
    [InlineData("sampled", 0.5, true)]
    [InlineData("sampled", 1, false)]
    [InlineData("exact", 0.5, false)]
    public void By_default_the_base_is_shared_unless_the_bits_of_retraining_are_promised(string source, double rho, bool shares)
    {
        using var trajectory = Train(out var objective);
        objective.Passes.Clear();
        var found = Replay(trajectory, source, All, share: null, rho: rho);
        Assert.Equal(shares, objective.Passes.Any(count => count > 1));
        if (shares) return;
        Assert.Equal(trajectory.RetrainWithout(0), found[0]);
        Assert.Equal(trajectory.RetrainWithout(1), found[3]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void By_default_no_more_go_together_than_the_objective_says_pay(int paying)
    {
        using var trajectory = Train(out var objective, paying: paying);
        objective.Passes.Clear();
        Replay(trajectory, "linear", All, share: null);
        Assert.Equal(paying, objective.Passes.Max());
    }

    [Fact]
    public void Retraining_that_shares_the_base_on_request_is_retraining_up_to_rounding()
    {
        using var trajectory = Train(out var objective);
        objective.Passes.Clear();
        var found = Replay(trajectory, "exact", All, share: true);
        Assert.Contains(5, objective.Passes);
        Vectors.Close(Change(trajectory, trajectory.RetrainWithout(0)), Change(trajectory, found[0]), 1e-8);
        Vectors.Close(Change(trajectory, trajectory.RetrainWithout(1)), Change(trajectory, found[3]), 1e-8);
        Vectors.Close(
            Change(trajectory, trajectory.Retrain((stage, step) => stage == 0 && step.StageStep <= 2)), Change(trajectory, found[1]), 1e-8);
    }

    [Theory]
    [InlineData("recorded")]
    [InlineData("linear")]
    [InlineData("midpoint")]
    [InlineData("sampled")]
    public void A_stage_with_learning_rate_0_has_no_effect_at_all_beside_others_that_have(string source)
    {
        using var trajectory = Train(out _, change: (stage, section) =>
            stage == 1 ? section with { Optimizer = section.Optimizer with { LearningRate = 0 } } : section);
        var found = Replay(trajectory, source, [All[0], All[3], All[1]], share: true);
        Assert.Equal(trajectory.Final(), found[1]);
        Assert.NotEqual(trajectory.Final(), found[0]);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("midpoint")]
    [InlineData("sampled")]
    public void A_gradient_that_is_not_finite_is_laid_at_the_door_of_its_own_counterfactual(string source)
    {
        using var trajectory = Train(out var objective);
        objective.Spoiled = 1;
        var error = Assert.Throws<AttributionException>(() => Replay(trajectory, source, [All[3], All[0], All[1]], share: true));
        // Without the first stage the second is replayed with two counterfactuals, 'first' and 'early': the latter is spoiled.
        Assert.Contains("counterfactual 'early'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retraining_together_fails_as_training_does()
    {
        using var trajectory = Train(out var objective);
        objective.Spoiled = 0;
        var error = Assert.Throws<TrainingException>(() => Replay(trajectory, "exact", All, share: true));
        Assert.Contains("the loss is NaN", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void An_objective_without_a_base_goes_one_by_one(string source)
    {
        using var trajectory = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        Counterfactual[] two = [All[0], All[3]];
        Assert.Equal(Replay(trajectory, source, two, share: false), Replay(trajectory, source, two, share: true));
    }

    [Fact]
    public void Full_training_goes_one_by_one()
    {
        using var trajectory = Train(out var objective, lora: false);
        objective.Passes.Clear();
        Assert.Equal(Replay(trajectory, "linear", All, share: false), Replay(trajectory, "linear", All, share: true));
        Assert.All(objective.Passes, count => Assert.Equal(1, count));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Live_tensors_return_to_their_count(string source)
    {
        using var trajectory = Train(out _, dropout: 0.3, microBatchSize: 3);
        LiveTensors.ReturnToTheirCount(() => Replay(trajectory, source, All, share: true, perPass: 3));
    }

    [Fact]
    public void A_pass_carries_at_least_one_counterfactual()
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new CounterfactualReplay(trajectory, CounterfactualGradients.From(GradientSource.Of("exact"), 1)) { VariantsPerPass = 0 });
    }

    public void Dispose()
    {
        _model?.Dispose();
        _folder.Dispose();
    }

    private static double[][] Replay(
        RetrainableTrajectory trajectory, string source, Counterfactual[] counterfactuals, bool? share, int perPass = 8, double rho = 0.5)
    {
        using var scope = NewDisposeScope();
        var replay = new CounterfactualReplay(trajectory, SmallRun.Gradients(source, rho))
        {
            ShareBase = share,
            VariantsPerPass = perPass,
        };
        return [.. replay.Run(counterfactuals, null, default).Select(theta => theta.ToArray<double>())];
    }

    /// <summary>What leaving something out did: the quantity whose digits count.</summary>
    private static double[] Change(RetrainableTrajectory trajectory, double[] state) =>
        [.. trajectory.Final().Zip(state, (observed, other) => observed - other)];

    private RetrainableTrajectory Train(
        out ObservedObjective observed,
        double dropout = 0,
        int? microBatchSize = null,
        bool lora = true,
        int? paying = null,
        Func<int, StageSection, StageSection>? change = null)
    {
        var config = new LoraConfig
        {
            Rank = 2,
            Alpha = 4,
            Dropout = dropout,
            Bias = "all",
            ModulesToSave = ["score"],
            TargetModules = ["query_key_value", "dense_h_to_4h"],
            TaskType = "SEQ_CLS",
        };
        _model?.Dispose();
        var (model, initial) = LanguageModelLoader.Load(TinyModel.Write(_folder), new LanguageModelOptions
        {
            Task = ModelTask.SequenceClassification,
            Adapter = lora ? new AdapterSource(config, null, "adapter") : null,
            Weights = ModelWeights.Random,
            Seed = 3,
            Dtype = float64,
        });
        _model = model;
        using var start = initial;
        EncodedExample[] examples =
        [
            .. Enumerable.Range(0, 11).Select(
                i => new EncodedExample($"{i}", [3, 4 + i, 7 + (i * 2), .. Enumerable.Repeat(9 + i, i % 4)], i % 2, 1, i)),
        ];
        var objective = observed = new ObservedObjective(new TransformerObjective(model, examples)) { Paying = paying };
        StageProgram Program(int index, string name)
        {
            // Small steps, so that rounding does not grow on the way; all of them larger than none.
            var section = SmallRun.Section(name, SmallRun.Sgd with { LearningRate = 0.01 }, epochs: 1) with
            {
                MicroBatchSize = microBatchSize,
                Schedule = new ScheduleSection(),
            };
            return StageProgram.Of(change?.Invoke(index, section) ?? section, objective, seed: 5);
        }

        return new RetrainableTrajectory([Program(0, "first"), Program(1, "second"), Program(2, "third")], start.ToArray<double>());
    }
}
