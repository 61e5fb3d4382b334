using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests;

/// <summary>
/// The same run in plain PyTorch: same model, adapter, rows of token ids in file order, SGD. Final adapters and retrained
/// effects have to agree.
/// </summary>
public sealed class PyTorchPeerTests
{
    private const int BatchSize = 10;
    private static readonly string[] s_stages = ["first", "second", "third"];

    [PyTorchFact]
    public async Task Same_run_as_plain_PyTorch()
    {
        using var folder = new TemporaryFolder();
        Peer(folder, "make-model", "model", "--size", "14m");
        Peer(folder, "make-adapter", "adapter", "--model", "model");
        foreach (var (i, stage) in s_stages.Index()) folder.Write($"{stage}.jsonl", Rows(stage, 30, marker: 700 + i));
        folder.Write("probe.jsonl", Rows("probe", 24, marker: 701));
        Peer(
            folder,
            [
                "run", "--model", "model", "--adapter", "adapter", .. s_stages.SelectMany(stage => new[] { "--stage", $"{stage}.jsonl" }),
                "--probe", "probe.jsonl", "--out", "peer", "--batch-size", $"{BatchSize}", "--lr", "0.01", "--no-attribution",
            ]);

        folder.Write("run.yaml", Configuration);
        folder.Write("probe.yaml", "data: { path: probe.jsonl, ids: ids, label: label }\n");
        await CommandLine.JsonAsync("train", folder.At("run.yaml"), "--out", folder.At("run"));
        var effects = await CommandLine.JsonAsync(
            "attribute", folder.At("run"), "--probe", folder.At("probe.yaml"), "--gradient", "exact", "--per-example");

        // The peer writes no adapter_config.json: the one both started from says what its tensors are.
        File.Copy(folder.At("adapter", AdapterFolder.ConfigFile), folder.At("peer", "adapter", AdapterFolder.ConfigFile));
        var expected = AdapterFolder.Read(folder.At("peer", "adapter")).Tensors;
        var found = AdapterFolder.Read(folder.At("run", "stages", "03-third", "state")).Tensors;
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in expected)
            AssertClose(tensor.Values.ToArray().Select(x => (double)x), found[name].Values.ToArray().Select(x => (double)x), 1e-4, name);

        var result = JsonDocument.Parse(await File.ReadAllTextAsync(folder.At("peer", "result.json"))).RootElement;
        foreach (var (i, stage) in effects.GetProperty("effects").EnumerateArray().Index())
        {
            var retrained = result.GetProperty("retrainedEffect")[i].EnumerateArray().Select(value => value.GetDouble());
            AssertClose(
                retrained,
                stage.GetProperty("perExample").EnumerateArray().Select(example => example.GetProperty("estimate").GetDouble()),
                1e-3,
                s_stages[i]);
        }
    }

    private static string Configuration => $$"""
        model: { path: model, task: sequence-classification, labels: 2 }
        adapter: { initFrom: adapter }
        optimizer: { name: sgd, learningRate: 0.01, momentum: 0.9, weightDecay: 1e-5 }
        batchSize: {{BatchSize}}
        shuffle: false
        stages:
        {{string.Join("\n", s_stages.Select(stage => $"  - {{ name: {stage}, data: {{ path: {stage}.jsonl, ids: ids, label: label }} }}"))}}
        """;

    /// <summary>Random ids; rows with the marker have label 1.</summary>
    private static string Rows(string name, int count, int marker)
    {
        var random = StableRandom.For(5, name);
        var lines = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var ids = Enumerable.Range(0, 5 + random.Next(16)).Select(_ => 2 + random.Next(50_000)).ToArray();
            var label = random.Next(2);
            if (label == 1) ids[random.Next(ids.Length)] = marker;
            lines.Append(CultureInfo.InvariantCulture, $"{{\"ids\":[{string.Join(',', ids)}],\"label\":{label}}}\n");
        }

        return lines.ToString();
    }

    private static void AssertClose(IEnumerable<double> expected, IEnumerable<double> found, double tolerance, string what)
    {
        var pairs = expected.Zip(found).ToArray();
        var difference = Math.Sqrt(pairs.Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
        var scale = Math.Sqrt(pairs.Sum(pair => pair.First * pair.First));
        Assert.True(
            scale > 0 && difference <= tolerance * scale,
            $"{what}: relative difference {difference / scale}, tolerance {tolerance}");
    }

    private static void Peer(TemporaryFolder folder, params string[] args)
    {
        var start = new ProcessStartInfo(PyTorchFactAttribute.Python!, [SharedData.At("tools", "pytorch_peer.py"), .. args])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"the peer failed: {error} {output.Result}");
    }
}

/// <summary>A test that needs a python3 with torch, and the peer program beside the repository.</summary>
public sealed class PyTorchFactAttribute : FactAttribute
{
    public PyTorchFactAttribute()
    {
        if (!File.Exists(SharedData.At("tools", "pytorch_peer.py"))) Skip = "no shared/tools/pytorch_peer.py beside the repository";
        else if (Python is null) Skip = "no python3 with torch (Debian: python3-torch)";
    }

    public static string? Python { get; } = new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(HasTorch);

    private static bool HasTorch(string python)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(python, ["-c", "import torch"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
