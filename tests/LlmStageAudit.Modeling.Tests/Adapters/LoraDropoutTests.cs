using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Adapters;

public sealed class LoraDropoutTests
{
    private static readonly StepNoise s_step = new(7, "religion", 3);

    [Fact]
    public void Kept_elements_are_scaled_so_that_the_mean_stays()
    {
        using var scope = NewDisposeScope();
        var kept = new LoraDropout(0.25, s_step, [(0, 50), (1, 50)], 50).Apply("layer", ones([2, 50, 100], float64)).ToArray<double>();
        Assert.All(kept, value => Assert.True(value == 0 || Math.Abs(value - (1 / 0.75)) < 1e-6));
        Assert.InRange(kept.Count(value => value == 0) / 10_000.0, 0.23, 0.27);
        Assert.InRange(kept.Average(), 0.97, 1.03);
    }

    [Fact]
    public void A_mask_belongs_to_step_module_and_example_and_not_to_the_batch_around_it()
    {
        using var scope = NewDisposeScope();
        float[] Mask(StepNoise noise, string module, int width, params (int Example, int Tokens)[] rows) =>
        [
            .. new LoraDropout(0.5, noise, rows, width)
                .Apply(module, ones([rows.Length, width, 8]))
                .narrow(0, rows.Length - 1, 1)
                .narrow(1, 0, 4)
                .ToArray<float>(),
        ];

        var mask = Mask(s_step, "layer", 4, (5, 4));
        Assert.Equal(mask, Mask(s_step, "layer", 9, (2, 9), (3, 1), (5, 4)));
        Assert.NotEqual(mask, Mask(s_step, "layer", 4, (6, 4)));
        Assert.NotEqual(mask, Mask(s_step, "other", 4, (5, 4)));
        Assert.NotEqual(mask, Mask(s_step with { StageStep = 4 }, "layer", 4, (5, 4)));
        Assert.NotEqual(mask, Mask(s_step with { Stage = "race" }, "layer", 4, (5, 4)));
        Assert.NotEqual(mask, Mask(s_step with { Seed = 8 }, "layer", 4, (5, 4)));
    }

    [Fact]
    public void Gradients_and_products_do_not_depend_on_micro_batches_and_evaluation_drops_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var config = new LoraConfig { Rank = 2, Alpha = 4, Dropout = 0.3, TargetModules = ["query_key_value"], TaskType = "SEQ_CLS" };
        var (model, initial) = TinyModel.Load(
            TinyModel.Write(folder), ModelTask.SequenceClassification, new AdapterSource(config, null, "test"));
        using var owned = model;
        var theta = scope.Detach(initial + TensorMemory.Of(Vectors.Normal((int)initial.numel(), 1), model.Device).times(0.1));
        EncodedExample[] examples =
        [
            .. Enumerable.Range(0, 5)
                .Select(i => new EncodedExample($"{i}", [3, 4 + i, 7, .. Enumerable.Repeat(9, i)], i % 2, 1, i)),
        ];
        var objective = new TransformerObjective(model, examples);

        var whole = objective.LossAndGradient(theta, [0, 1, 2, 3, 4], null, s_step);
        var parts = objective.LossAndGradient(theta, [0, 1, 2, 3, 4], 2, s_step);
        Assert.Equal(whole.LossNats, parts.LossNats, 12);
        Assert.True((whole.Gradient - parts.Gradient).norm().ToNumber() <= 1e-12 * whole.Gradient.norm().ToNumber());
        Assert.True(objective.LossAndGradient(theta, [0, 1, 2, 3, 4], null, s_step).Gradient.Equals(whole.Gradient));
        Assert.NotEqual(whole.LossNats, objective.LossAndGradient(theta, [0, 1, 2, 3, 4], null, s_step with { StageStep = 9 }).LossNats);
        Assert.NotEqual(whole.LossNats, objective.Loss(theta, [0, 1, 2, 3, 4]));
        Assert.Equal(objective.Loss(theta, [0, 1, 2, 3, 4]), objective.LossAndGradient(theta, [0, 1, 2, 3, 4]).LossNats, 12);

        var direction = TensorMemory.Of(Vectors.Normal((int)theta.numel(), 2), model.Device);
        var product = objective.HessianVectorProduct(theta, [0, 1, 2, 3, 4], direction, 2, s_step);
        const double h = 1e-5;
        var plus = objective.LossAndGradient(theta.plus(direction, h), [0, 1, 2, 3, 4], null, s_step).Gradient;
        var minus = objective.LossAndGradient(theta.plus(direction, -h), [0, 1, 2, 3, 4], null, s_step).Gradient;
        Assert.True(((plus - minus).over(2 * h) - product).norm().ToNumber() <= 1e-6 * product.norm().ToNumber());
        theta.Dispose();
        initial.Dispose();
    }
}
