using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

/// <summary>Variants of an adapter through one pass: every family, and everything that can train beside the pairs.</summary>
public sealed class VariantDerivativeTests : IDisposable
{
    private static readonly StepNoise s_step = new(7, "religion", 3);

    // Lengths differ, so that there is padding; the padding token 0 stands inside a row as well.
    private static readonly EncodedExample[] s_examples =
    [
        new("a", [5, 9, 3, 20, 11, 28], 1, 1, 0),
        new("b", [7, 5], 0, 1, 1),
        new("c", [11, 29, 2, 0, 21, 5, 14], 1, 3, 2),
        new("d", [6, 6, 19], 0, 2, 3),
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, ModelTask> Cases
    {
        get
        {
            var rows = new TheoryData<string, ModelTask>();
            foreach (var family in TinyDecoder.Families)
            {
                rows.Add(family, ModelTask.CausalLm);
                rows.Add(family, ModelTask.SequenceClassification);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Variants_are_their_own_passes_side_by_side(string family, ModelTask task) =>
        Check(family, task, new LoraConfig { Rank = 2, Alpha = 4 }, noise: null);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_variant_meets_the_masks_the_single_pass_draws(string family, ModelTask task) =>
        Check(family, task, new LoraConfig { Rank = 2, Alpha = 4, Dropout = 0.3 }, s_step);

    [Theory]
    [InlineData("gpt_neox", "all")]
    [InlineData("gpt_neox", "lora_only")]
    [InlineData("llama", "all")]
    [InlineData("llama", "lora_only")]
    public void Biases_train_per_variant(string family, string bias)
    {
        Check(family, ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4, Bias = bias }, noise: null);
        Check(family, ModelTask.SequenceClassification, new LoraConfig { Rank = 2, Alpha = 4, Bias = bias }, noise: null);
    }

    [Theory]
    [InlineData("gpt_neox", "score")]
    [InlineData("gemma2", "score")]
    [InlineData("gpt_neox", "embed_out")]
    [InlineData("llama", "lm_head")]
    public void Heads_train_per_variant(string family, string head) => Check(
        family,
        head == "score" ? ModelTask.SequenceClassification : ModelTask.CausalLm,
        new LoraConfig { Rank = 2, Alpha = 4, ModulesToSave = [head] },
        noise: null);

    [Theory]
    [InlineData("gpt_neox", "gpt_neox.embed_in")]
    [InlineData("llama", "model.embed_tokens")]
    [InlineData("gemma", "model.embed_tokens")]
    [InlineData("gemma2", "model.embed_tokens")]
    [InlineData("gemma3_text", "model.embed_tokens")]
    public void A_tied_head_trains_per_variant_as_a_table_too(string family, string head) => Check(
        family,
        ModelTask.CausalLm,
        new LoraConfig { Rank = 2, Alpha = 4, ModulesToSave = [head], EnsureWeightTying = true },
        noise: null,
        """{ "tie_word_embeddings": true }""");

    [Fact]
    public void One_variant_is_the_single_pass()
    {
        var (model, initial) = Load("gpt_neox", ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4 });
        using var owned = model;
        using var state = initial;
        VariantCheck.OneByOne(new TransformerObjective(model, s_examples), VariantCheck.Spread(state, 1), [0, 1, 2]);
    }

    [Fact]
    public void Variants_in_another_order_give_the_rows_in_that_order()
    {
        using var scope = NewDisposeScope();
        var (model, initial) = Load("llama", ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4 });
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        var thetas = VariantCheck.Spread(state, 3);
        var (losses, gradients) = objective.LossesAndGradients(VariantCheck.Rows(objective, thetas), [0, 2, 3]);
        int[] order = [2, 0, 1];
        var reordered = VariantCheck.Rows(objective, [.. order.Select(r => thetas[r])]);
        var (moved, movedGradients) = objective.LossesAndGradients(reordered, [0, 2, 3]);
        for (var i = 0; i < order.Length; i++)
        {
            Assert.Equal(losses[order[i]], moved[i], 12);
            Vectors.Close(VariantCheck.Row(gradients, order[i]).ToArray<double>(), VariantCheck.Row(movedGradients, i).ToArray<double>(), 1e-11);
        }

        Assert.Equal(3, losses.Select(loss => Math.Round(loss, 6)).Distinct().Count());
    }

    [Fact]
    public void A_variant_with_the_vector_zero_has_the_product_zero_whatever_the_others_do()
    {
        using var scope = NewDisposeScope();
        var (model, initial) = Load("gpt_neox", ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4, Bias = "all" });
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        var vectors = VariantCheck.Rows(
            objective, [Vectors.Normal(state.numel(), 1), new double[state.numel()], Vectors.Normal(state.numel(), 2)]);
        var products = objective.HessianVectorProducts(VariantCheck.Rows(objective, VariantCheck.Spread(state, 3)), [0, 1, 2, 3], vectors);
        Assert.All(VariantCheck.Row(products, 1).ToArray<double>(), value => Assert.Equal(0, value));
        Assert.NotEqual(0, VariantCheck.Row(products, 0).norm().ToNumber());
        Assert.NotEqual(0, VariantCheck.Row(products, 2).norm().ToNumber());
    }

    [Fact]
    public void Where_every_weight_trains_there_is_nothing_to_share()
    {
        using var scope = NewDisposeScope();
        var (model, initial) = Load("gpt_neox", ModelTask.CausalLm, null);
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        Assert.False(objective.SharesBase);
        Assert.Equal(1, objective.VariantsThatPay([0], null, 1));
        Assert.Throws<InvalidOperationException>(() => objective.LossesAndGradients(state.unsqueeze(0), [0]));
    }

    [Theory]
    [InlineData(ModelTask.SequenceClassification, 24)]
    [InlineData(ModelTask.CausalLm, 30)]
    public void How_many_pay_falls_with_the_tokens_of_a_pass_and_its_widest_layer(ModelTask task, int features)
    {
        var (model, initial) = Load("gpt_neox", task, new LoraConfig { Rank = 2, Alpha = 4 });
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        // On the CPU 2^17 elements in all, half for second derivatives. The longest of a and b has 6 tokens.
        var limit = model.Device.type == DeviceType.CPU ? 1 << 17 : 1 << 24;
        Assert.Equal(limit / (2 * 6 * features), objective.VariantsThatPay([0, 1], null, 1));
        Assert.Equal(limit / 2 / (2 * 6 * features), objective.VariantsThatPay([0, 1], null, 2));
        Assert.Equal(limit / (1 * 6 * features), objective.VariantsThatPay([0, 1], 1, 1));
        Assert.Equal(1, objective.VariantsThatPay([.. Enumerable.Repeat(2, 1 << 20)], null, 1));
        Assert.Equal(1, objective.VariantsThatPay([], null, 1));
    }

    [Fact]
    public void In_single_precision_rounding_is_all_that_differs()
    {
        using var scope = NewDisposeScope();
        var (model, initial) = Load("gemma3_text", ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4 }, dtype: float32);
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        var thetas = state.unsqueeze(0) + TensorMemory.Of(Vectors.Normal(3 * state.numel(), 6, 0.1), [3, state.numel()], model.Device).to(float32);
        var vectors = TensorMemory.Of(Vectors.Normal(3 * state.numel(), 7), [3, state.numel()], model.Device).to(float32);
        var (_, gradients) = objective.LossesAndGradients(thetas, [0, 1, 2, 3]);
        var products = objective.HessianVectorProducts(thetas, [0, 1, 2, 3], vectors);
        for (var r = 0; r < 3; r++)
        {
            var theta = VariantCheck.Row(thetas, r);
            double[] Wide(Tensor x) => x.to(float64).ToArray<double>();
            Vectors.Close(Wide(objective.LossAndGradient(theta, [0, 1, 2, 3]).Gradient), Wide(VariantCheck.Row(gradients, r)), 1e-5);
            var product = objective.HessianVectorProduct(theta, [0, 1, 2, 3], VariantCheck.Row(vectors, r));
            Vectors.Close(Wide(product), Wide(VariantCheck.Row(products, r)), 1e-5);
        }
    }

    [Fact]
    public void Live_tensors_return_to_their_count()
    {
        var (model, initial) = Load("gpt_neox", ModelTask.CausalLm, new LoraConfig { Rank = 2, Alpha = 4, Bias = "all", Dropout = 0.3 });
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        using var thetas = VariantCheck.Rows(objective, VariantCheck.Spread(state, 3));
        LiveTensors.ReturnToTheirCount(() => objective.LossesAndGradients(thetas, [0, 1, 2], 2, s_step).Gradients.Dispose());
        LiveTensors.ReturnToTheirCount(() => objective.HessianVectorProducts(thetas, [0, 1, 2], thetas, 2, s_step).Dispose());
    }

    public void Dispose() => _folder.Dispose();

    private void Check(string family, ModelTask task, LoraConfig config, StepNoise? noise, string changes = "{}")
    {
        var (model, initial) = Load(family, task, config, changes);
        using var owned = model;
        using var state = initial;
        var objective = new TransformerObjective(model, s_examples);
        Assert.True(objective.SharesBase);
        var thetas = VariantCheck.Spread(state, 3);
        VariantCheck.OneByOne(objective, thetas, [3, 0, 2, 1], noise: noise);
        VariantCheck.OneByOne(objective, thetas, [3, 0, 2, 1, 2], microBatchSize: 2, noise);
    }

    private (LanguageModel Model, Tensor State) Load(
        string family, ModelTask task, LoraConfig? config, string changes = "{}", ScalarType dtype = ScalarType.Float64)
    {
        var adapter = config is null ? null : config with
        {
            TargetModules = family == "gpt_neox" ? ["query_key_value", "dense_4h_to_h"] : ["q_proj", "v_proj", "down_proj"],
            TaskType = task == ModelTask.CausalLm ? "CAUSAL_LM" : "SEQ_CLS",
        };
        return TinyModel.Load(
            TinyDecoder.Write(_folder, family, changes), task, adapter is null ? null : new AdapterSource(adapter, null, "adapter"), dtype);
    }
}
