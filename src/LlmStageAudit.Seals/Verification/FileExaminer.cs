using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals.Verification;

/// <summary>Holds the files of a run folder against those that are sealed, and the files the run read against its manifest.</summary>
/// <param name="folder">The run.</param>
/// <param name="files">The sealed ones but the manifest; of two with one path the first counts.</param>
internal sealed class FileExaminer(RunFolder folder, IEnumerable<SealedFile> files)
{
    private readonly Dictionary<string, SealedFile> _files = files.DistinctBy(file => file.Path).ToDictionary(file => file.Path);

    /// <summary>Sealed files that are gone or hold something else.</summary>
    public IEnumerable<RunFinding> Examine(CancellationToken cancellation)
    {
        foreach (var file in _files.Values)
        {
            cancellation.ThrowIfCancellationRequested();
            if (FaultOf(file) is { } fault) yield return fault;
        }
    }

    /// <summary>Files among the sealed ones that no seal knows.</summary>
    /// <param name="known">Logs, by their path in the run folder.</param>
    /// <param name="openFolder">The folder of the stage that is being trained, where anything may lie; null: there is none.</param>
    public IEnumerable<RunFinding> FindUnpinned(IReadOnlyCollection<string> known, string? openFolder) =>
        SealPaths.FilesBelow(folder.Root, folder.InitialFolder)
            .Concat(SealPaths.FilesBelow(folder.Root, folder.StagesFolder))
            .Where(name => !_files.ContainsKey(name) && !known.Contains(name))
            .Where(name => openFolder is null || !name.StartsWith($"{openFolder}/", StringComparison.Ordinal))
            .Select(name => new RunFinding(name, null, null, FindingKind.Unpinned, "no seal knows this file"));

    /// <summary>Compares a file that the run read with what the manifest says of it.</summary>
    public static RunFinding? FaultOf(InputRecord input)
    {
        if (!File.Exists(input.Path))
            return Finding(FindingKind.Missing, $"is not here; its SHA-256 was {input.Sha256} when the run was trained");
        var (found, fault) = HashOf(input.Path);
        if (found == input.Sha256) return null;
        return found is null
            ? Finding(FindingKind.Unreadable, $"cannot be read ({fault})")
            : Finding(FindingKind.Changed, $"has SHA-256 {found}; it was {input.Sha256} when the run was trained");

        RunFinding Finding(FindingKind kind, string message) =>
            new(input.Path, null, null, kind, $"the {EnumSpelling<InputRole>.Of(input.Role)} file {message}");
    }

    private RunFinding? FaultOf(SealedFile file)
    {
        var path = SealPaths.Below(folder.Root, file.Path);
        if (!Path.Exists(path)) return Finding(FindingKind.Missing, "the file is gone");
        var (found, fault) = HashOf(path);
        if (found == file.Sha256) return null;
        if (found is null) return Finding(FindingKind.Unreadable, $"it cannot be read ({fault})");
        if (_files.Values.FirstOrDefault(other => other.Sha256 == found) is { } other)
            return Finding(FindingKind.Foreign, $"it holds what was sealed as {other.Path}");
        var size = new FileInfo(path).Length;
        var sizes = size == file.SizeBytes ? "" : $" ({size} bytes in place of {file.SizeBytes})";
        return Finding(FindingKind.Changed, $"it was changed{sizes}: SHA-256 {found}, sealed as {file.Sha256}");

        RunFinding Finding(FindingKind kind, string message) => new(file.Path, null, null, kind, message);
    }

    private static (string? Sha256, string? Fault) HashOf(string path)
    {
        try
        {
            return (ContentHash.OfFile(path), null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, exception.Message);
        }
    }
}
