using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>
/// A sealed run of three stages of twelve steps to be tampered with, another one to take things from, and both untouched.
/// </summary>
public sealed class TamperedRun : IDisposable
{
    public const int StepsPerStage = TinyRows / 2;
    private const int TinyRows = TinyWorkspace.RowsPerStage;

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, byte[]> _inputs = [];

    public TamperedRun()
    {
        TinyWorkspace.Write(_folder.Path);
        CommandLine.Json("train", _folder.At("base.yaml"), "--out", _folder.At("base-run"));
        Train("pristine", "seed=7");
        Train("other", "seed=8");
        FileTree.Copy(Pristine(), At());
        Names =
        [
            .. Directory.EnumerateFiles(Pristine(), "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Pristine(), path))
                .Where(name => !name.StartsWith("run.", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
        foreach (var path in Directory.EnumerateFiles(_folder.Path)) _inputs[path] = File.ReadAllBytes(path);
        foreach (var path in Directory.EnumerateFiles(_folder.At("base-run", "stages", "01-language", "state")))
            _inputs[path] = File.ReadAllBytes(path);
        RunId = JsonReading.ReadFile(At("manifest.json")).Text("runId");
    }

    /// <summary>Every file of the run, relative to it: all of them are sealed, or seal the rest.</summary>
    public IReadOnlyList<string> Names { get; }

    public string RunId { get; }

    public string Folder => _folder.Path;

    public string At(params string[] parts) => _folder.At(["tampered", .. parts]);

    public string Pristine(params string[] parts) => _folder.At(["pristine", .. parts]);

    public string Other(params string[] parts) => _folder.At(["other", .. parts]);

    public string Input(params string[] parts) => _folder.At(parts);

    public static string Log(int stage) => $"stages/{stage + 1:00}-{TinyWorkspace.Stages[stage]}/trajectory.log";

    public static string Weights(int stage) => $"stages/{stage + 1:00}-{TinyWorkspace.Stages[stage]}/state/adapter_model.safetensors";

    /// <summary>Puts everything back.</summary>
    public void Restore()
    {
        Directory.Delete(At(), recursive: true);
        FileTree.Copy(Pristine(), At());
        foreach (var (path, bytes) in _inputs) File.WriteAllBytes(path, bytes);
    }

    public void EditJson(string name, Action<JsonNode> change)
    {
        var node = JsonNode.Parse(File.ReadAllText(At(name)))!;
        change(node);
        var text = node.ToJsonString(new JsonSerializerOptions(Records.Serialization.ArtifactJson.Options));
        File.WriteAllText(At(name), text + "\n");
    }

    public void Dispose() => _folder.Dispose();

    private void Train(string name, string setting) =>
        CommandLine.Json("train", _folder.At("sgd.yaml"), "--out", _folder.At(name), "--set", setting, "--set", "batchSize=2");
}
