using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

/// <summary>Every family differentiates twice: its graphs obey the identities of calculus in float64.</summary>
public sealed class FamilyDerivativeTests : IDisposable
{
    private static readonly EncodedExample[] s_examples =
    [
        new("a", [5, 9, 3, 20, 11, 28], 1, 1, 0),
        new("b", [7, 5], 0, 1, 1),
        new("c", [11, 29, 2, 8, 21, 5, 14], 1, 3, 2),
        new("d", [6, 6, 19], 0, 2, 3),
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, ModelTask, bool> Cases
    {
        get
        {
            var rows = new TheoryData<string, ModelTask, bool>();
            foreach (var family in TinyDecoder.Families)
            {
                rows.Add(family, ModelTask.CausalLm, false);
                rows.Add(family, ModelTask.SequenceClassification, true);
            }

            return rows;
        }
    }

    public static TheoryData<string> Families => [.. TinyDecoder.Families];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Derivatives_obey_the_identities(string family, ModelTask task, bool lora)
    {
        var (model, state) = Load(family, task, lora);
        using var owned = model;
        using var initial = state;
        var objective = new TransformerObjective(model, s_examples);
        // Away from the start, where LoRA's B and some norms are zero and derivatives vanish.
        var theta = state.ToArray<double>().Zip(Vectors.Normal(model.Layout.Count, 6, 0.1), (s, d) => s + d).ToArray();
        int[] batch = [3, 0, 2, 1];
        DerivativeCheck.Gradient(objective, theta, batch, 2e-6, 1e-6); // a step at which the third derivative does not show
        DerivativeCheck.HessianVectorProduct(objective, theta, batch, 1e-5, 1e-6);
        DerivativeCheck.Symmetry(objective, theta, batch);
        DerivativeCheck.MicroBatches(objective, theta, batch);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Live_tensors_return_to_their_count(string family)
    {
        var (model, state) = Load(family, ModelTask.CausalLm, lora: true);
        using var owned = model;
        using var initial = state;
        var objective = new TransformerObjective(model, s_examples);
        using var direction = TensorMemory.Of(Vectors.Normal(model.Layout.Count, 1));
        LiveTensors.ReturnToTheirCount(() => objective.HessianVectorProduct(state, [0, 1, 2], direction, 2).Dispose());
        LiveTensors.ReturnToTheirCount(() => objective.Loss(state, [0, 1, 2]));
    }

    public void Dispose() => _folder.Dispose();

    private (LanguageModel Model, Tensor State) Load(string family, ModelTask task, bool lora)
    {
        var config = new LoraConfig
        {
            Rank = 2,
            Alpha = 4,
            TargetModules = family == "gpt_neox" ? ["query_key_value", "dense_4h_to_h"] : ["q_proj", "v_proj", "down_proj"],
            TaskType = task == ModelTask.CausalLm ? "CAUSAL_LM" : "SEQ_CLS",
        };
        return TinyModel.Load(TinyDecoder.Write(_folder, family), task, lora ? new AdapterSource(config, null, "adapter") : null);
    }
}
