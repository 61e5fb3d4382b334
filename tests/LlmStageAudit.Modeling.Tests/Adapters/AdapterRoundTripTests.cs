using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Adapters;

/// <summary>
/// Adapters of every setting that is supported: saved and loaded again they are the same adapter, and each acts on exactly the
/// layers it should, as W + scaling B A multiplied out here with ranks and scalings worked out by hand.
/// </summary>
public sealed class AdapterRoundTripTests : IDisposable
{
    private const string Qkv = "attention.query_key_value";
    private const string Inner = "mlp.dense_h_to_4h";
    private const string Outer = "mlp.dense_4h_to_h";
    private const string Dense = "attention.dense";

    private static readonly int[][] s_rows = [[4, 8, 15, 16], [23, 42]];
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string> Settings => [.. Cases.Keys];

    /// <summary>A configuration as PEFT spells it, and the adapted layers with rank and scaling.</summary>
    private static Dictionary<string, (string Json, (string Module, int Rank, double Scaling)[] Adapted)> Cases { get; } = new()
    {
        ["rank_pattern and alpha_pattern"] = (
            """
            {"r":3,"lora_alpha":6,"target_modules":["query_key_value","dense_h_to_4h"],
             "rank_pattern":{"layers.1.attention.query_key_value":2,"dense_h_to_4h":4},"alpha_pattern":{"layers.0.*":5}}
            """,
            [($"0.{Qkv}", 3, 5.0 / 3), ($"0.{Inner}", 4, 1.25), ($"1.{Qkv}", 2, 3), ($"1.{Inner}", 4, 1.5)]),
        ["layers_to_transform"] = (
            """{"r":2,"lora_alpha":3,"target_modules":["query_key_value"],"layers_to_transform":[1],"layers_pattern":"layers"}""",
            [($"1.{Qkv}", 2, 1.5)]),
        ["regular expression"] = (
            """{"r":2,"lora_alpha":8,"target_modules":".*\\.layers\\.(0\\.attention\\.dense|1\\.mlp\\..*)"}""",
            [($"0.{Dense}", 2, 4), ($"1.{Inner}", 2, 4), ($"1.{Outer}", 2, 4)]),
        ["all-linear"] = (
            """{"r":2,"lora_alpha":2,"target_modules":"all-linear"}""",
            [.. new[] { 0, 1 }.SelectMany(layer => new[] { Qkv, Dense, Inner, Outer }.Select(name => ($"{layer}.{name}", 2, 1.0)))]),
        ["all-linear but one"] = (
            """{"r":2,"lora_alpha":2,"target_modules":"all-linear","exclude_modules":["0.attention.dense","dense_4h_to_h"]}""",
            [($"0.{Qkv}", 2, 1), ($"0.{Inner}", 2, 1), ($"1.{Qkv}", 2, 1), ($"1.{Dense}", 2, 1), ($"1.{Inner}", 2, 1)]),
        ["rslora"] = (
            """
            {"r":4,"lora_alpha":3,"use_rslora":true,"target_modules":["query_key_value"],
             "rank_pattern":{"1.attention.query_key_value":9}}
            """,
            [($"0.{Qkv}", 4, 1.5), ($"1.{Qkv}", 9, 1)]),
        ["lora_dropout"] = (
            """{"r":2,"lora_alpha":4,"lora_dropout":0.25,"target_modules":["dense_4h_to_h"]}""",
            [($"0.{Outer}", 2, 2), ($"1.{Outer}", 2, 2)]),
        ["fan_in_fan_out"] = (
            """{"r":2,"lora_alpha":4,"fan_in_fan_out":true,"target_modules":["dense_h_to_4h"]}""",
            [($"0.{Inner}", 2, 2), ($"1.{Inner}", 2, 2)]),
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Saved_and_loaded_an_adapter_is_the_same_and_acts_where_it_should(string settings)
    {
        var (json, adapted) = Cases[settings];
        var config = Read(json, "CAUSAL_LM");
        var path = TinyModel.Write(_folder);
        var (model, start) = TinyModel.Load(path, ModelTask.CausalLm, new AdapterSource(config, null, settings));
        var (plain, weights) = TinyModel.Load(path, ModelTask.CausalLm);
        using (model)
        using (plain)
        using (start)
        using (weights)
        {
            Assert.Equal(
                adapted.SelectMany(layer => new[]
                {
                    $"base_model.model.gpt_neox.layers.{layer.Module}.lora_A.weight {layer.Rank}",
                    $"base_model.model.gpt_neox.layers.{layer.Module}.lora_B.weight {layer.Rank}",
                }).Order(StringComparer.Ordinal),
                model.Layout.Slots.Select(slot => $"{slot.Name} {slot.Shape.Min()}").Order(StringComparer.Ordinal));

            var theta = Singles(model);
            var logits = Logits(model, theta);
            var merged = Merged(plain, weights, model, theta.ToArray<double>(), adapted);
            Vectors.Close(Logits(plain, merged), logits, 1e-12);
            Assert.True(Vectors.RelativeDistance(Logits(plain, weights), logits) > 1e-3);

            StateFolder.Write(_folder.At("adapter"), model, theta);
            var (read, tensors) = AdapterFolder.Read(_folder.At("adapter"));
            CheckSame(config, read);
            var (again, reloaded) = TinyModel.Load(path, ModelTask.CausalLm, new AdapterSource(read, tensors, settings));
            using (again)
            using (reloaded)
            {
                Vectors.SameBits(theta, reloaded);
                Vectors.SameBits(theta, StateFolder.Read(_folder.At("adapter"), again));
                Assert.Equal(logits, Logits(again, reloaded));
            }
        }
    }

    [Fact]
    public void Fan_in_fan_out_warns_and_changes_nothing()
    {
        var (json, _) = Cases["fan_in_fan_out"];
        var path = TinyModel.Write(_folder);
        var odd = Read(json, "CAUSAL_LM");
        Assert.Contains(odd.Warnings, warning => warning.Contains("fan_in_fan_out: true does not fit", StringComparison.Ordinal));
        var (first, start) = TinyModel.Load(path, ModelTask.CausalLm, new AdapterSource(odd, null, "odd"));
        var (second, other) = TinyModel.Load(path, ModelTask.CausalLm, new AdapterSource(odd with { FanInFanOut = false }, null, "usual"));
        using (first)
        using (second)
        using (start)
        using (other)
        {
            Assert.Equal(Logits(first, Singles(first)), Logits(second, Singles(second)));
        }
    }

    [Theory]
    [InlineData("""["score"]""")]
    [InlineData("""["classifier","score"]""")]
    [InlineData("null")]
    public void A_saved_head_comes_back_whole(string modulesToSave)
    {
        var json = $$"""{"r":2,"lora_alpha":2,"target_modules":["query_key_value"],"modules_to_save":{{modulesToSave}}}""";
        var config = Read(json, "SEQ_CLS");
        var path = TinyModel.Write(_folder);
        var (model, start) = TinyModel.Load(path, ModelTask.SequenceClassification, new AdapterSource(config, null, "head"), labels: 3);
        using var owned = model;
        using var initial = start;
        var theta = Singles(model);
        StateFolder.Write(_folder.At("adapter"), model, theta);
        var (read, tensors) = AdapterFolder.Read(_folder.At("adapter"));
        Assert.Equal(["classifier", "score"], read.ModulesToSave.Order(StringComparer.Ordinal));
        Assert.Equal([3L, 16L], tensors["base_model.model.score.weight"].Shape);
        Assert.Equal(
            model.Layout.Split(theta)[^1].contiguous().ToArray<double>(),
            tensors["base_model.model.score.weight"].Values.ToArray().Select(value => (double)value));
        var (again, reloaded) = TinyModel.Load(
            path, ModelTask.SequenceClassification, new AdapterSource(read, tensors, "head"), labels: 3);
        using var ownedAgain = again;
        using var same = reloaded;
        Vectors.SameBits(theta, reloaded);
        var batch = TokenBatch.Pad(s_rows, 0);
        Vectors.SameBits(model.ClassLogits(model.Layout.Split(theta), batch), again.ClassLogits(again.Layout.Split(reloaded), batch));
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private LoraConfig Read(string json, string task)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        node["peft_type"] = "LORA";
        node["task_type"] = task;
        return LoraConfig.Read(_folder.Write("given.json", node.ToJsonString()));
    }

    private static void CheckSame(LoraConfig given, LoraConfig read)
    {
        Assert.Equal((given.Rank, given.Alpha, given.Dropout, given.UseRslora), (read.Rank, read.Alpha, read.Dropout, read.UseRslora));
        Assert.Equal((given.TargetPattern, given.TaskType, given.FanInFanOut), (read.TargetPattern, read.TaskType, read.FanInFanOut));
        Assert.Equal(given.TargetModules, read.TargetModules);
        Assert.Equal(given.ExcludeModules, read.ExcludeModules);
        Assert.Equal(given.RankPattern, read.RankPattern);
        Assert.Equal(given.AlphaPattern, read.AlphaPattern);
        Assert.Equal(given.LayersToTransform, read.LayersToTransform);
        Assert.Equal(given.LayersPattern, read.LayersPattern);
    }

    /// <summary>A state in float64 whose values are float32, so that saving loses nothing.</summary>
    private static Tensor Singles(LanguageModel model) =>
        TensorMemory.Of([.. Vectors.Normal(model.Layout.Count, 4, 0.2).Select(value => (double)(float)value)], model.Device);

    private static double[] Logits(LanguageModel model, Tensor state) =>
        model.TokenLogits(model.Layout.Split(state), TokenBatch.Pad(s_rows, 0)).ToArray<double>();

    /// <summary>W + scaling B A, element by element; A [r, in] and B [out, r] are read at their places in the flat state.</summary>
    private static Tensor Merged(
        LanguageModel plain, Tensor weights, LanguageModel model, double[] theta, (string Module, int Rank, double Scaling)[] adapted)
    {
        var merged = weights.ToArray<double>();
        foreach (var (module, rank, scaling) in adapted)
        {
            var name = $"gpt_neox.layers.{module}";
            long Offset(string factor) => model.Layout.Slots.Single(slot => slot.Name == $"base_model.model.{name}.{factor}.weight").Offset;
            var (a, b) = (Offset("lora_A"), Offset("lora_B"));
            var weight = plain.Layout.Slots.Single(slot => slot.Name == $"{name}.weight");
            var (outputs, inputs) = (weight.Shape[0], weight.Shape[1]);
            for (var o = 0; o < outputs; o++)
            {
                for (var i = 0; i < inputs; i++)
                {
                    var update = 0.0;
                    for (var k = 0; k < rank; k++) update += theta[b + (o * rank) + k] * theta[a + (k * inputs) + i];
                    merged[weight.Offset + (o * inputs) + i] += scaling * update;
                }
            }
        }

        return TensorMemory.Of(merged, plain.Device);
    }
}
