using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

/// <summary>The derivatives of a whole transformer, for every task and with LoRA, obey the identities of calculus.</summary>
public sealed class TransformerDerivativeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<ModelTask, bool, bool> Cases => new()
    {
        { ModelTask.CausalLm, false, true },
        { ModelTask.CausalLm, true, false },
        { ModelTask.SequenceClassification, false, false },
        { ModelTask.SequenceClassification, true, true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Derivatives_obey_the_identities(ModelTask task, bool lora, bool parallelResidual)
    {
        var (model, state) = Load(task, lora, parallelResidual);
        using var owned = model;
        using var initial = state;
        var objective = new TransformerObjective(model, Examples());
        // Away from the start, where LoRA's B is zero and half of the derivatives vanish.
        var theta = state.ToArray<double>().Zip(Vectors.Normal(model.Layout.Count, 6, 0.05), (s, d) => s + d).ToArray();
        int[] batch = [3, 0, 2, 1];
        DerivativeCheck.Gradient(objective, theta, batch, 1e-5, 1e-6);
        DerivativeCheck.HessianVectorProduct(objective, theta, batch, 1e-5, 1e-6);
        DerivativeCheck.Symmetry(objective, theta, batch);
        DerivativeCheck.MicroBatches(objective, theta, batch);
    }

    [Fact]
    public void Parameters_the_loss_does_not_see_have_derivative_zero()
    {
        // Token 40 occurs nowhere in the batch: its embedding row has gradient and curvature zero, others have not.
        using var scope = NewDisposeScope();
        var (model, state) = Load(ModelTask.SequenceClassification, lora: false, parallelResidual: true);
        using var owned = model;
        using var initial = state;
        var objective = new TransformerObjective(model, Examples());
        var gradient = model.Layout.Split(objective.LossAndGradient(state, [0, 1]).Gradient)[0];
        var direction = TensorMemory.Of(Vectors.Normal(model.Layout.Count, 1), model.Device);
        var product = model.Layout.Split(objective.HessianVectorProduct(state, [0, 1], direction))[0];
        Assert.Equal("gpt_neox.embed_in.weight", model.Layout.Slots[0].Name);
        Assert.Equal(0, gradient.narrow(0, 40, 1).norm().ToNumber());
        Assert.Equal(0, product.narrow(0, 40, 1).norm().ToNumber());
        Assert.NotEqual(0, gradient.narrow(0, 5, 1).norm().ToNumber());
        Assert.NotEqual(0, product.narrow(0, 5, 1).norm().ToNumber());
    }

    [Fact]
    public void Live_tensors_return_to_their_count()
    {
        var (model, state) = Load(ModelTask.CausalLm, lora: true, parallelResidual: true);
        using var owned = model;
        using var initial = state;
        var objective = new TransformerObjective(model, Examples());
        using var direction = TensorMemory.Of(Vectors.Normal(model.Layout.Count, 1), model.Device);
        LiveTensors.ReturnToTheirCount(() => objective.LossAndGradient(state, [0, 1, 2], 2).Gradient.Dispose());
        LiveTensors.ReturnToTheirCount(() => objective.HessianVectorProduct(state, [0, 1, 2], direction, 2).Dispose());
        LiveTensors.ReturnToTheirCount(() => objective.Loss(state, [0, 1, 2]));
    }

    public void Dispose() => _folder.Dispose();

    private (LanguageModel Model, Tensor State) Load(ModelTask task, bool lora, bool parallelResidual)
    {
        var config = new LoraConfig
        {
            Rank = 2,
            Alpha = 4,
            TargetModules = ["query_key_value", "dense_4h_to_h"],
            TaskType = task == ModelTask.CausalLm ? "CAUSAL_LM" : "SEQ_CLS",
        };
        return TinyModel.Load(TinyModel.Write(_folder, parallelResidual), task, lora ? new AdapterSource(config, null, "adapter") : null);
    }

    private static EncodedExample[] Examples() =>
    [
        new("a", [5, 9, 3, 20], 1, 1, 0),
        new("b", [7, 5], 0, 1, 1),
        new("c", [11, 30, 2, 8, 41, 5], 1, 3, 2),
        new("d", [6, 6, 19], 0, 2, 3),
    ];
}
