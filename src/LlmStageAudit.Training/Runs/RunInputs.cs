using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Training.Runs;

/// <summary>The files a run depends on, pinned by hash when it is trained and checked when it is replayed.</summary>
public static class RunInputs
{
    /// <summary>Every file a run depends on, with its hash and size.</summary>
    /// <exception cref="ConfigurationException">A probe the configuration names is not there.</exception>
    internal static InputRecord[] Pin(RunMaterials materials)
    {
        if (materials.Configuration.Probes.FirstOrDefault(probe => !File.Exists(probe)) is { } absent)
            throw ConfigurationException.At("probes", $"no file {absent}", "probe files that exist", "mend the path or leave it out");
        return Records(materials, ContentHash.OfFile);
    }

    /// <summary>The same under another hash; a file that is absent has no bytes.</summary>
    internal static InputRecord[] Records(RunMaterials materials, Func<string, string> hashOf) =>
    [
        .. Files(materials.Configuration, materials.Model).Select(file => new InputRecord
        {
            Role = file.Role,
            Path = file.Path,
            Sha256 = hashOf(file.Path),
            SizeBytes = ForeignFile.SizeBytes(file.Path),
        }),
    ];

    /// <summary>The files that are pinned, each once.</summary>
    public static IEnumerable<(InputRole Role, string Path)> Files(RunConfiguration configuration, LanguageModel model) =>
        model.Folder.Files.Select(name => (RoleOf(name), Path.Combine(model.Folder.Path, name)))
            .Concat(AdapterFiles(configuration.Adapter).Select(path => (InputRole.Adapter, path)))
            .Concat(configuration.Stages.Select(stage => (InputRole.Data, stage.Dataset.Path)))
            .Concat(configuration.Probes.Select(probe => (InputRole.Probe, probe)))
            .DistinctBy(file => file.Item2);

    /// <summary>Holds the files of a run against their hashes.</summary>
    /// <exception cref="TrainingException">A model, tokenizer or data file is gone or has changed.</exception>
    public static void Check(IEnumerable<InputRecord> inputs)
    {
        // A run holds the adapter it began with, and training reads no probe.
        foreach (var input in inputs.Where(input => input.Role is not (InputRole.Probe or InputRole.Adapter)))
        {
            if (!File.Exists(input.Path)) throw TrainingException.InputMissing(input.Path);
            var found = ContentHash.OfFile(input.Path);
            if (found != input.Sha256) throw TrainingException.InputChanged(input.Path, found, input.Sha256);
        }
    }

    private static IEnumerable<string> AdapterFiles(AdapterSection? adapter) =>
        new[] { adapter?.Recipe, adapter?.InitFrom }.OfType<string>()
            .SelectMany(folder => new[] { AdapterFolder.ConfigFile, AdapterFolder.WeightsFile }.Select(name => Path.Combine(folder, name)))
            .Where(File.Exists);

    private static InputRole RoleOf(string name) =>
        name.StartsWith("tokenizer", StringComparison.Ordinal) ? InputRole.Tokenizer : InputRole.Model;
}
