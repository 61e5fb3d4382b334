using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// A tiny audit: a base model with weights, one run of three stages per optimizer, plans, a probe. Every case works in the folder
/// <see cref="Out"/>, always at the same place, so that files can be compared to the byte.
/// </summary>
internal sealed class CrashWorkspace : IDisposable
{
    private const string Base = """
        model: { path: model, task: causal-lm, weights: random }
        adapter: none
        optimizer: { name: adamw, learningRate: 1e-2 }
        seed: 3
        stages:
          - { name: language, data: { path: first.jsonl, ids: ids }, batchSize: 8 }
        """;

    private const string Probe = """
        name: probe
        data: { path: probe.jsonl, ids: ids, label: label }
        metric: log-likelihood
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly CommandServer _server;

    public CrashWorkspace()
    {
        TinyModel.Write(_folder);
        foreach (var (name, rows) in new[] { ("first", 10), ("second", 8), ("third", 9), ("probe", 12) })
            TinyRun.WriteRows(_folder, $"{name}.jsonl", name, rows);
        _folder.Write("base.yaml", Base);
        _folder.Write("probe.yaml", Probe);
        _folder.Write("sgd.yaml", Run("{ name: sgd, learningRate: 0.05, momentum: 0.9, weightDecay: 1e-3 }"));
        _folder.Write("adamw.yaml", Run("{ name: adamw, learningRate: 5e-3, weightDecay: 0.01, clipNorm: 1 }"));
        Directory.CreateDirectory(Shadow);
        Directory.CreateDirectory(Out);
        _server = new CommandServer(Out);
        Succeed("train", At("base.yaml"), "--out", At("base-run"), "--threads", "1");
    }

    /// <summary>The folder that faults happen in.</summary>
    public string Out => At("out");

    /// <summary>Where the fault library keeps what was flushed.</summary>
    public string Shadow => At("shadow");

    public string Model => At("base-run", "stages", "01-language", "state");

    public string At(params string[] parts) => _folder.At(parts);

    /// <summary>The run folders in <see cref="Out"/>.</summary>
    public string[] Runs() =>
        [.. Directory.EnumerateFiles(Out, "manifest.json", SearchOption.AllDirectories).Select(path => Path.GetDirectoryName(path)!)];

    /// <summary>An empty <see cref="Out"/>, or one with a copy of a folder in it.</summary>
    public void Reset(string? from = null)
    {
        if (Directory.Exists(Out)) Directory.Delete(Out, recursive: true);
        Directory.CreateDirectory(Out);
        if (from is not null) ArtifactTree.Copy(from, Out);
    }

    /// <summary>
    /// Runs a command: as a process of its own where it is to be killed, by a fault or after a time, else where it is quickest.
    /// </summary>
    public Ended Execute(string[] args, Fault? fault = null, TimeSpan? killAfter = null)
    {
        if (fault is { Kills: false } || (fault is null && killAfter is null)) return _server.Run(args, fault).Ended;
        if (fault?.Mode == "power")
        {
            Directory.Delete(Shadow, recursive: true);
            Directory.CreateDirectory(Shadow);
        }

        return BuiltCommand.Run(args, fault?.Environment(Out, Shadow), killAfter);
    }

    /// <summary>How many calls that change files a command makes.</summary>
    public int CallsOf(string[] args)
    {
        var (ended, calls) = _server.Run(args, new Fault("count", 0));
        Assert.True(ended.ExitCode == 0, ended.ToString());
        return calls;
    }

    public void Succeed(params string[] args)
    {
        var ended = Execute(args);
        Assert.True(ended.ExitCode == 0, $"stageaudit {string.Join(' ', args)}: {ended}");
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private static string Run(string optimizer) => $$"""
        model: { path: base-run/stages/01-language/state, task: sequence-classification, labels: 2 }
        adapter: { r: 2, alpha: 4, targetModules: [query_key_value, dense_h_to_4h] }
        optimizer: {{optimizer}}
        schedule: { name: linear, warmupRatio: 0.1 }
        seed: 11
        batchSize: 4
        stages:
          - { name: first, data: { path: first.jsonl, ids: ids, label: label }, epochs: 2 }
          - { name: second, data: { path: second.jsonl, ids: ids, label: label } }
          - { name: third, data: { path: third.jsonl, ids: ids, label: label } }
        """;
}
