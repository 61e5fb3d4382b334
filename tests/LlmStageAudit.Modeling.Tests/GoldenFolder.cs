using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests;

/// <summary>Compares a model with reference values: tolerances are those the reference states for float32.</summary>
internal static class GoldenFolder
{
    private const double LogitTolerance = 1e-4;
    private const double LikelihoodTolerance = 5e-5;
    private const double GradientTolerance = 1e-4;

    public static JsonElement Json(string folder) => JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json"))).RootElement;

    public static (LanguageModel Model, Tensor State) Load(string folder, ModelTask task, string? adapter = null, int labels = 3)
    {
        AdapterSource? source = null;
        if (adapter is not null)
        {
            var (config, tensors) = AdapterFolder.Read(adapter);
            source = new AdapterSource(config, tensors, adapter);
        }

        return LanguageModelLoader.Load(folder, new LanguageModelOptions
        {
            Task = task,
            Labels = labels,
            Adapter = source,
            Device = TestDevice.Current,
        });
    }

    /// <summary>The rows of a batch without their padding.</summary>
    public static int[][] Rows(JsonElement batch) =>
        [.. batch.GetProperty("input_ids").EnumerateArray().Zip(batch.GetProperty("attention_mask").EnumerateArray(), (ids, mask) =>
            ids.EnumerateArray()
                .Zip(mask.EnumerateArray())
                .Where(pair => pair.Second.GetInt32() == 1)
                .Select(pair => pair.First.GetInt32())
                .ToArray())];

    public static void CheckCausal(LanguageModel model, Tensor state, JsonElement batch)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(batch);
        var examples = rows.Select((ids, i) => new EncodedExample($"{i}", ids, -1, 1, i)).ToArray();
        var objective = new TransformerObjective(model, examples);
        var all = Enumerable.Range(0, rows.Length).ToArray();

        var logits = model.TokenLogits(model.Layout.Split(state), TokenBatch.Pad(rows, model.PadTokenId));
        CheckLogitRows(logits, batch);
        CheckTokenLikelihoods(logits, rows, batch);

        var (loss, gradient) = objective.LossAndGradient(state, all);
        Close(batch.GetProperty("loss").GetDouble(), loss, LikelihoodTolerance, "loss");
        CheckGradientNorms(model, gradient, batch.GetProperty("grad_norms"));

        if (!batch.TryGetProperty("sequence_log_likelihood", out var expected)) return;
        var losses = objective.Losses(model.Layout.Split(state), all).ToArray<float>();
        foreach (var (i, value) in expected.EnumerateArray().Index())
            Close(value.GetDouble(), -losses[i], LikelihoodTolerance * rows[i].Length, $"row {i}");
    }

    /// <summary>log p(next token) at every position that predicts one, where the reference holds them.</summary>
    public static void CheckTokenLikelihoods(Tensor logits, int[][] rows, JsonElement batch)
    {
        if (!batch.TryGetProperty("token_log_likelihoods", out var all)) return;
        var values = logits.log_softmax(-1).ToArray<float>();
        var (width, vocabulary) = ((int)logits.size(1), (int)logits.size(2));
        foreach (var (b, row) in all.EnumerateArray().Index())
        {
            for (var t = 0; t + 1 < rows[b].Length; t++)
            {
                var found = values[(((b * width) + t) * vocabulary) + rows[b][t + 1]];
                Close(row[t].GetDouble(), found, LikelihoodTolerance, $"likelihood {b}, {t}");
            }
        }
    }

    public static void CheckLogitRows(Tensor logits, JsonElement batch)
    {
        var values = logits.ToArray<float>();
        var (width, vocabulary) = ((int)logits.size(1), (int)logits.size(2));
        foreach (var row in batch.GetProperty("logit_rows").EnumerateArray())
        {
            var offset = ((row.GetProperty("batch").GetInt32() * width) + row.GetProperty("position").GetInt32()) * vocabulary;
            foreach (var (v, expected) in row.GetProperty("logits").EnumerateArray().Index())
                Close(
                    expected.GetDouble(),
                    values[offset + v],
                    LogitTolerance,
                    $"logit {row.GetProperty("batch")}, {row.GetProperty("position")}, {v}");
        }
    }

    public static void CheckClassification(LanguageModel model, Tensor state, JsonElement batch, JsonElement inputs)
    {
        using var scope = NewDisposeScope();
        var labels = batch.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32()).ToArray();
        var examples = Rows(inputs).Select((ids, i) => new EncodedExample($"{i}", ids, labels[i], 1, i)).ToArray();
        var objective = new TransformerObjective(model, examples);
        var all = Enumerable.Range(0, examples.Length).ToArray();

        var logits = objective.Logits(model.Layout.Split(state), all).ToArray<float>();
        var expected = batch.GetProperty("logits").EnumerateArray()
            .SelectMany(row => row.EnumerateArray())
            .Select(value => value.GetDouble())
            .ToArray();
        for (var i = 0; i < expected.Length; i++) Close(expected[i], logits[i], LogitTolerance, $"logit {i}");

        var (loss, gradient) = objective.LossAndGradient(state, all);
        Close(batch.GetProperty("loss").GetDouble(), loss, LikelihoodTolerance, "loss");
        CheckGradientNorms(model, gradient, batch.GetProperty("grad_norms"));
    }

    /// <summary>Every element of the full gradients, relative to the largest of its tensor.</summary>
    public static void CheckFullGradients(LanguageModel model, Tensor gradient, string folder, string prefix)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        var views = model.Layout.Split(gradient);
        for (var i = 0; i < views.Length; i++)
        {
            var expected = file.ReadSingles(prefix + model.Layout.Slots[i].Name);
            var found = views[i].ToArray<float>();
            var scale = expected.Max(Math.Abs);
            for (var k = 0; k < expected.Length; k++)
                Close(expected[k], found[k], GradientTolerance * scale, $"gradient {model.Layout.Slots[i].Name}[{k}]");
        }
    }

    public static void CheckGradientNorms(LanguageModel model, Tensor gradient, JsonElement norms)
    {
        var views = model.Layout.Split(gradient);
        for (var i = 0; i < views.Length; i++)
        {
            var name = model.Layout.Slots[i].Name;
            var expected = norms.GetProperty(name).GetDouble();
            Close(expected, views[i].norm().ToNumber(), GradientTolerance * expected, $"gradient norm of {name}");
        }
    }

    public static void Close(double expected, double found, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - found) <= tolerance, $"{what}: expected {expected}, found {found}, tolerance {tolerance}");

    /// <summary>A copy of a golden folder in which the configuration has the newer spelling.</summary>
    public static void CopyWithNewConfig(string folder, TemporaryFolder to)
    {
        File.Copy(Path.Combine(folder, "config.v5.json"), to.At("config.json"));
        File.Copy(Path.Combine(folder, "model.safetensors"), to.At("model.safetensors"));
    }
}
