using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Adapters;

/// <summary>A LoRA model against the whole model with the update W + scaling B A multiplied out here.</summary>
public sealed class LoraTests : IDisposable
{
    private static readonly int[][] s_rows = [[4, 8, 15, 16], [23, 42]];
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void With_B_zero_the_logits_are_the_base_models_to_the_bit()
    {
        var path = TinyModel.Write(_folder);
        var (adapted, start) = TinyModel.Load(path, ModelTask.CausalLm, Adapter(rank: 3, alpha: 5), float32);
        var (plain, weights) = TinyModel.Load(path, ModelTask.CausalLm, dtype: float32);
        using (adapted)
        using (plain)
        {
            var (logits, other) = (Logits(adapted, start), Logits(plain, weights));
            Assert.True(logits.Equals(other));
            Assert.All(adapted.Layout.Slots, slot => Assert.Contains(".lora_", slot.Name, StringComparison.Ordinal));
            var slots = adapted.Layout.Split(start);
            for (var i = 0; i < slots.Length; i++)
                Assert.Equal(i % 2 == 1, slots[i].norm().ToNumber() == 0); // A random, B zero, in turn
        }
    }

    [Theory]
    [InlineData(3, 5.0, false, 5.0 / 3)]
    [InlineData(3, 5.0, true, 2.8867513459481287)] // 5 / sqrt 3
    [InlineData(4, 2.0, false, 0.5)]
    [InlineData(4, 2.0, true, 1.0)]
    public void An_adapter_acts_as_its_product_merged_into_the_weights(int rank, double alpha, bool rslora, double scaling)
    {
        var path = TinyModel.Write(_folder);
        var (adapted, start) = TinyModel.Load(path, ModelTask.CausalLm, Adapter(rank, alpha, rslora));
        var (plain, weights) = TinyModel.Load(path, ModelTask.CausalLm);
        using (adapted)
        using (plain)
        {
            var theta = TensorMemory.Of(Vectors.Normal(adapted.Layout.Count, 4, 0.2), adapted.Device);
            var merged = Merge(plain, weights, adapted, theta, scaling);
            Vectors.Close(Logits(plain, merged).ToArray<double>(), Logits(adapted, theta).ToArray<double>(), 1e-12);
            Assert.True(Vectors.RelativeDistance(Logits(plain, weights).ToArray<double>(), Logits(adapted, theta).ToArray<double>()) > 1e-3);
        }
    }

    [Fact]
    public void Ranks_of_single_modules_count_for_them()
    {
        var source = Adapter(rank: 3, alpha: 6);
        var config = source.Config with { RankPattern = [new("layers.1.attention.query_key_value", 2)] };
        var (model, start) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.CausalLm, source with { Config = config });
        using var owned = model;
        using var initial = start;
        Assert.Equal(
            [2L, 16L],
            model.Layout.Slots.Single(
                slot => slot.Name.Contains("layers.1.attention.query_key_value.lora_A", StringComparison.Ordinal)).Shape);
        Assert.Equal(
            [3L, 16L],
            model.Layout.Slots.Single(
                slot => slot.Name.Contains("layers.0.attention.query_key_value.lora_A", StringComparison.Ordinal)).Shape);
    }

    /// <summary>Against the statistics of PEFT 0.21 on a layer of 512 inputs, 768 outputs and rank 8.</summary>
    [SharedTheory("goldens/peft")]
    [InlineData("init_true", LoraStart.Kaiming)]
    [InlineData("init_gaussian", LoraStart.Gaussian)]
    [InlineData("init_false", LoraStart.Linear)]
    public void Fresh_factors_are_distributed_as_PEFTs(string golden, string start)
    {
        var statistics = GoldenFolder.Json(SharedData.At("goldens", "peft", golden)).GetProperty("statistics_in512_out768_r8_alpha16");
        foreach (var (name, shape) in new (string, long[])[] { ("lora_A", [8, 512]), ("lora_B", [768, 8]) })
        {
            var expected = statistics.GetProperty($"lin.{name}.weight");
            var values = LoraPlacement.Initialize(start, $"x.{name}.weight", shape, seed: 3).Select(value => (double)value).ToArray();
            var (mean, deviation) = (values.Average(), Math.Sqrt(values.Average(value => value * value)));
            var (theirs, most) = (expected.GetProperty("std").GetDouble(), expected.GetProperty("max_abs").GetDouble());
            // Of 4096 and more draws the deviation is known to 2%, the fourth moment to 15%.
            Assert.Equal(theirs, deviation, 0.05 * theirs);
            Assert.Equal(0, mean, (0.05 * theirs) + 1e-12);
            Assert.InRange(values.Max(Math.Abs), 0.8 * most, 1.2 * most);
            if (theirs == 0) continue;
            var kurtosis = values.Average(value => Math.Pow((value - mean) / deviation, 4));
            Assert.Equal(expected.GetProperty("kurtosis").GetDouble(), kurtosis, 0.4);
        }
    }

    [Fact]
    public void Fresh_A_is_uniform_within_one_over_the_root_of_its_inputs_and_depends_on_seed_and_name()
    {
        var values = LoraPlacement.Initialize(LoraStart.Kaiming, "x.lora_A.weight", [64, 100], seed: 1);
        Assert.All(values, value => Assert.InRange(value, -0.1f, 0.1f));
        Assert.InRange(values.Max(), 0.0999f, 0.1f);
        Assert.Equal(0, values.Average(), 0.003);
        Assert.Equal(0.01 / 3, values.Average(value => (double)value * value), 0.0002); // variance of a uniform in +-0.1
        Assert.Equal(values, LoraPlacement.Initialize(LoraStart.Kaiming, "x.lora_A.weight", [64, 100], seed: 1));
        Assert.NotEqual(values, LoraPlacement.Initialize(LoraStart.Kaiming, "x.lora_A.weight", [64, 100], seed: 2));
        Assert.NotEqual(values, LoraPlacement.Initialize(LoraStart.Kaiming, "y.lora_A.weight", [64, 100], seed: 1));
        Assert.All(LoraPlacement.Initialize(LoraStart.Kaiming, "x.lora_B.weight", [64, 100], seed: 1), value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_classifiers_head_is_saved_whole_and_trains_along()
    {
        var source = Adapter(rank: 2, alpha: 2);
        var classifier = source with { Config = source.Config with { TaskType = "SEQ_CLS" } };
        var (model, start) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.SequenceClassification, classifier, labels: 3);
        using var owned = model;
        var head = model.Layout.Slots[^1];
        Assert.Equal("base_model.model.score.weight", head.Name);
        Assert.Equal([3L, 16L], head.Shape);
        var parameters = model.Layout.Split(start);
        var batch = TokenBatch.Pad(s_rows, 0);
        var doubled = model.ClassLogits([.. parameters[..^1], parameters[^1].times(2)], batch);
        Vectors.Close(model.ClassLogits(parameters, batch).times(2).ToArray<double>(), doubled.ToArray<double>(), 1e-14);
        start.Dispose();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static AdapterSource Adapter(int rank, double alpha, bool rslora = false) => new(
        new LoraConfig
        {
            Rank = rank,
            Alpha = alpha,
            UseRslora = rslora,
            TargetModules = ["query_key_value", "dense_h_to_4h"],
            TaskType = "CAUSAL_LM",
        },
        null,
        "adapter");

    private static Tensor Logits(LanguageModel model, Tensor state) =>
        model.TokenLogits(model.Layout.Split(state), TokenBatch.Pad(s_rows, 0));

    /// <summary>W + scaling B A, element by element.</summary>
    private static Tensor Merge(LanguageModel plain, Tensor weights, LanguageModel adapted, Tensor theta, double scaling)
    {
        var merged = weights.ToArray<double>();
        var factors = adapted.Layout.Split(theta).Select(factor => factor.contiguous().ToArray<double>()).ToArray();
        for (var pair = 0; pair < factors.Length / 2; pair++)
        {
            var (a, b) = (adapted.Layout.Slots[2 * pair], adapted.Layout.Slots[(2 * pair) + 1]);
            var module = a.Name["base_model.model.".Length..^".lora_A.weight".Length];
            var weight = plain.Layout.Slots.Single(slot => slot.Name == module + ".weight");
            var (rank, inputs, outputs) = ((int)a.Shape[0], (int)a.Shape[1], (int)b.Shape[0]);
            for (var o = 0; o < outputs; o++)
            {
                for (var i = 0; i < inputs; i++)
                {
                    var update = Enumerable.Range(0, rank).Sum(
                        r => factors[(2 * pair) + 1][(o * rank) + r] * factors[2 * pair][(r * inputs) + i]);
                    merged[weight.Offset + (o * inputs) + i] += scaling * update;
                }
            }
        }

        return TensorMemory.Of(merged, plain.Device);
    }
}
