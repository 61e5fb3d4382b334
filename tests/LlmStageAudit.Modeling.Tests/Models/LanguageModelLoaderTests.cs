using LlmStageAudit.Checkpoints;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Models;

public sealed class LanguageModelLoaderTests : IDisposable
{
    private const string Weight = "gpt_neox.layers.1.mlp.dense_4h_to_h.weight";
    private const string FactorB = "base_model.model.gpt_neox.layers.0.attention.query_key_value.lora_B.weight";
    private static readonly LoraConfig s_lora = new() { Rank = 2, Alpha = 4, TargetModules = ["query_key_value"], TaskType = "SEQ_CLS" };
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public LanguageModelLoaderTests() => _path = TinyModel.Write(_folder);

    [Fact]
    public void A_saved_model_loads_to_the_same_bits_and_keeps_its_head()
    {
        using var scope = NewDisposeScope();
        var (model, state) = TinyModel.Load(_path, ModelTask.SequenceClassification, dtype: float32, labels: 3);
        using var owned = model;
        StateFolder.Write(_folder.At("saved"), model, state);
        var (again, reloaded) = LanguageModelLoader.Load(
            _folder.At("saved"),
            new LanguageModelOptions
            {
                Task = ModelTask.SequenceClassification,
                Labels = 3,
                ForTraining = false,
                Device = model.Device,
            });
        using var ownedAgain = again;
        Vectors.SameBits(state, reloaded);
        Assert.Empty(again.Warnings);
        Assert.Equal(3, GptNeoXConfig.Read(again.Folder.Config).NumLabels);
        state.Dispose();
        reloaded.Dispose();
    }

    [Fact]
    public void A_missing_base_tensor_is_named()
    {
        var error = Assert.Throws<ModelingException>(() => LoadChanged(tensors => [.. tensors.Where(tensor => tensor.Name != Weight)]));
        Assert.Contains($"tensor '{Weight}' is missing", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, error.Kind);
    }

    [Fact]
    public void A_base_tensor_of_another_shape_is_named_with_both_shapes()
    {
        var error = Assert.Throws<ModelingException>(() => LoadChanged(tensors =>
            [.. tensors.Select(tensor => tensor.Name == Weight ? tensor with { Shape = [32, 16] } : tensor)]));
        Assert.Contains($"tensor '{Weight}' has shape [32, 16]; expected [16, 32]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_that_are_not_part_of_the_model_are_noted_and_buffers_are_not()
    {
        var model = LoadChanged(tensors =>
        [
            .. tensors,
            new HostTensor("stranger.weight", [1], new float[1]),
            new HostTensor("gpt_neox.layers.0.attention.masked_bias", [1], new float[1]),
        ]);
        Assert.Equal(
            [new Warning("unused-tensors", "1 tensors of the folder are not part of the model: stranger.weight")], model.Warnings);
        model.Dispose();
    }

    [Fact]
    public void A_head_that_is_missing_may_start_at_random_to_be_trained_but_not_to_be_evaluated()
    {
        using var scope = NewDisposeScope();
        var (model, state) = TinyModel.Load(_path, ModelTask.CausalLm, dtype: float32);
        using (model) StateFolder.Write(_folder.At("causal"), model, state);
        state.Dispose();
        var options = new LanguageModelOptions { Task = ModelTask.SequenceClassification, Seed = 9, Device = model.Device };
        var (fresh, start) = LanguageModelLoader.Load(_folder.At("causal"), options);
        Assert.Empty(fresh.Warnings);
        Assert.NotEqual(0, start.count_nonzero().ToInt64());
        fresh.Dispose();
        start.Dispose();
        var error = Assert.Throws<ModelingException>(
            () => LanguageModelLoader.Load(_folder.At("causal"), options with { ForTraining = false }));
        Assert.Contains("'score.weight' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pretrained_weights_that_are_not_there_are_an_error() =>
        Assert.Throws<CheckpointException>(() => LanguageModelLoader.Load(_path, new LanguageModelOptions { Task = ModelTask.CausalLm }));

    [Fact]
    public void Adapter_tensors_are_taken_by_name()
    {
        using var scope = NewDisposeScope();
        var tensors = AdapterTensors();
        var (model, state) = LoadAdapter(tensors);
        using var owned = model;
        foreach (var (slot, values) in model.Layout.Slots.Zip(model.Layout.Split(state)))
            Assert.Equal(tensors[slot.Name].Values.ToArray(), values.contiguous().ToArray<float>());
        state.Dispose();
    }

    [Fact]
    public void A_missing_adapter_tensor_is_named()
    {
        var tensors = AdapterTensors();
        tensors.Remove(FactorB);
        var error = Assert.Throws<ModelingException>(() => LoadAdapter(tensors));
        Assert.StartsWith("the adapter: ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"tensor '{FactorB}' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_adapter_head_is_named_and_not_made_up()
    {
        var tensors = AdapterTensors();
        tensors.Remove("base_model.model.score.weight");
        var error = Assert.Throws<ModelingException>(() => LoadAdapter(tensors));
        Assert.Contains("'base_model.model.score.weight' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_tensor_of_another_shape_is_named_with_both_shapes()
    {
        var tensors = AdapterTensors();
        tensors[FactorB] = new HostTensor(FactorB, [2, 48], new float[96]);
        var error = Assert.Throws<ModelingException>(() => LoadAdapter(tensors));
        Assert.Contains($"tensor '{FactorB}' has shape [2, 48]; expected [48, 2]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_tensor_no_module_takes_is_named()
    {
        var tensors = AdapterTensors();
        tensors["base_model.model.gpt_neox.layers.7.attention.query_key_value.lora_A.weight"] = new HostTensor("x", [2, 16], new float[32]);
        var error = Assert.Throws<ModelingException>(() => LoadAdapter(tensors));
        Assert.Contains("layers.7.attention.query_key_value.lora_A.weight' belongs to no module", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Targets_that_match_nothing_and_settings_that_do_not_act_are_refused()
    {
        var none = Assert.Throws<ModelingException>(() => LoadAdapter(null, s_lora with { TargetModules = ["q_proj"] }));
        Assert.Contains("q_proj match no linear layer; expected some of query_key_value, dense", none.Message, StringComparison.Ordinal);
        var saved = Assert.Throws<ModelingException>(() => LoadAdapter(null, s_lora with { ModulesToSave = ["embed_in"] }));
        Assert.Contains("modules_to_save 'embed_in'", saved.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private LanguageModel LoadChanged(Func<HostTensor[], HostTensor[]> change)
    {
        using var scope = NewDisposeScope();
        var (model, state) = TinyModel.Load(_path, ModelTask.SequenceClassification, dtype: float32);
        using (model)
        using (state)
        {
            var tensors = model.Layout.Slots.Zip(
                model.Layout.Split(state), (slot, values) => new HostTensor(slot.Name, slot.Shape, values.contiguous().ToArray<float>()));
            ModelFolderWriter.Write(_folder.At("changed"), model.Folder.Config, change([.. tensors]));
        }

        var (changed, start) = LanguageModelLoader.Load(
            _folder.At("changed"), new LanguageModelOptions { Task = ModelTask.SequenceClassification });
        start.Dispose();
        return changed;
    }

    private Dictionary<string, HostTensor> AdapterTensors()
    {
        using var scope = NewDisposeScope();
        var (model, state) = LoadAdapter(null);
        using var owned = model;
        state.Dispose();
        return model.Layout.Slots.Select(
            (slot, i) => new HostTensor(slot.Name, slot.Shape, Vectors.Normal(slot.Length, i).Select(value => (float)value).ToArray()))
            .ToDictionary(tensor => tensor.Name);
    }

    private (LanguageModel Model, Tensor State) LoadAdapter(Dictionary<string, HostTensor>? tensors, LoraConfig? config = null) =>
        TinyModel.Load(_path, ModelTask.SequenceClassification, new AdapterSource(config ?? s_lora, tensors, "the adapter"), float32);
}
