using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Verification;

/// <summary>Holds the files of a run folder against those that are sealed.</summary>
internal sealed class FileExaminer
{
    private readonly RunFolder _folder;
    private readonly Dictionary<string, SealedFile> _files = [];
    private readonly ILookup<string, SealedFile> _byHash;

    /// <summary>Takes the sealed files; of two with one path the first counts.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="files">The sealed ones but the manifest.</param>
    public FileExaminer(RunFolder folder, IEnumerable<SealedFile> files)
    {
        _folder = folder;
        foreach (var file in files) _files.TryAdd(file.Path, file);
        _byHash = _files.Values.ToLookup(file => file.Sha256);
    }

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
    public IEnumerable<RunFinding> FindUnpinned(IReadOnlyCollection<string> known, string? openFolder)
    {
        var found = SealPaths.FilesBelow(_folder.Root, _folder.InitialFolder)
            .Concat(SealPaths.FilesBelow(_folder.Root, _folder.StagesFolder));
        foreach (var name in found.Where(name => !_files.ContainsKey(name) && !known.Contains(name)))
        {
            if (openFolder is not null && name.StartsWith($"{openFolder}/", StringComparison.Ordinal)) continue;
            yield return new RunFinding(name, null, null, FindingKind.Unpinned, $"no seal knows this file{Origin(name)}");
        }
    }

    private RunFinding? FaultOf(SealedFile file)
    {
        var path = SealPaths.Below(_folder.Root, file.Path);
        try
        {
            if (!Path.Exists(path)) return new RunFinding(file.Path, null, null, FindingKind.Missing, "the file is gone");
            var found = ContentHash.OfFile(path);
            if (found == file.Sha256) return null;
            if (_byHash[found].FirstOrDefault() is { } other)
                return new RunFinding(file.Path, null, null, FindingKind.Foreign, $"it holds what was sealed as {other.Path}");
            var size = new FileInfo(path).Length;
            var sizes = size == file.SizeBytes ? "" : $" ({size} bytes in place of {file.SizeBytes})";
            return new RunFinding(
                file.Path, null, null, FindingKind.Changed, $"it was changed{sizes}: SHA-256 {found}, sealed as {file.Sha256}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new RunFinding(file.Path, null, null, FindingKind.Unreadable, $"it cannot be read ({exception.Message})");
        }
    }

    private string Origin(string name)
    {
        try
        {
            return _byHash[ContentHash.OfFile(SealPaths.Below(_folder.Root, name))].FirstOrDefault() is { } sealedAs
                ? $"; it holds what was sealed as {sealedAs.Path}"
                : "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
