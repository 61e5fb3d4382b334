using System.Diagnostics;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Foundation.Tests.Files;

public sealed class AtomicWritingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_fails_leaves_the_target_and_nothing_else()
    {
        var path = _folder.Write("a/b.txt", "before");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("before", File.ReadAllText(path));
        Assert.Throws<InvalidOperationException>(
            () => AtomicFolder.Create(_folder.At("a/c"), _ => throw new InvalidOperationException()));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.At("a")));
    }

    [Fact]
    public void A_full_disk_is_told_from_a_path_that_is_wrong()
    {
        var path = _folder.At("a.txt");
        var full = Assert.Throws<StorageException>(() => AtomicFile.Write(path, _ => throw new IOException("No space left on device", 28)));
        Assert.True(full.IsFull);
        Assert.StartsWith(
            $"{path}: the disk is full (No space left on device); expected room for it; free some space",
            full.Message,
            StringComparison.Ordinal);
        var failing = Assert.Throws<StorageException>(() => AtomicFolder.Create(path, _ => throw new IOException("Input/output error", 5)));
        Assert.Equal((false, ErrorKind.Failure), (failing.IsFull, failing.Kind));
        Assert.Throws<IOException>(() => AtomicFile.Write(path, _ => throw new IOException("another")));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Leftovers_of_writers_that_have_ended_go_and_others_stay()
    {
        using var ended = Process.Start(new ProcessStartInfo("dotnet", ["--version"]) { RedirectStandardOutput = true })!;
        ended.StandardOutput.ReadToEnd();
        ended.WaitForExit();
        using var other = Process.Start("sleep", "100");
        var target = _folder.At("a.json");
        var machine = Machine(target);
        string[] names =
        [
            $"a.json.{ended.Id}-{machine}-{Guid.NewGuid():N}.partial", // ended
            $"a.json.{Environment.ProcessId}-{machine}-{Guid.NewGuid():N}.partial", // this process, which writes no such file
            $"a.json.{other.Id}-{machine}-{Guid.NewGuid():N}.partial", // alive
            $"a.json.{ended.Id}-00000000-{Guid.NewGuid():N}.partial", // on another machine
            $"b.json.{ended.Id}-{machine}-{Guid.NewGuid():N}.partial", // of another target
            "a.json.notes.partial", // none of ours
            "a.json.partial",
        ];
        foreach (var name in names) _folder.Write(name, "half");
        Directory.CreateDirectory(_folder.At($"a.json.{ended.Id}-{machine}-{Guid.NewGuid():N}.partial/inner"));

        AtomicFile.WriteText(target, "{}");

        other.Kill();
        Assert.Equal(
            names.Skip(2).Append("a.json").Order(StringComparer.Ordinal),
            Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Folders_are_made_with_those_above_them()
    {
        DurableFolder.Create(_folder.At("a/b/c"));
        DurableFolder.Create(_folder.At("a/b/c"));
        DurableFolder.Flush(_folder.At("a/b"));
        Assert.True(Directory.Exists(_folder.At("a/b/c")));
        _folder.Write("file", "");
        Assert.ThrowsAny<IOException>(() => DurableFolder.Create(_folder.At("file/inner")));
    }

    [Fact]
    public void A_lock_has_one_holder_who_is_named_while_he_lives()
    {
        var (path, holder) = (_folder.At("x.lock"), _folder.At("x.holder"));
        Assert.Null(FileLock.HolderOf(path, holder));
        using (FileLock.TryAcquire(path, holder, out var nobody))
        {
            Assert.Null(nobody);
            Assert.Null(FileLock.TryAcquire(path, holder, out var found));
            Assert.Equal($"process {Environment.ProcessId} on {Environment.MachineName}", found);
            Assert.Equal(found, FileLock.HolderOf(path, holder));
        }

        Assert.Null(FileLock.HolderOf(path, holder));
        _folder.Write("x.holder", "process 1, killed");
        using var again = FileLock.TryAcquire(path, holder, out _);
        Assert.NotNull(again);
    }

    // As the names of this machine's own files say it.
    private static string Machine(string target)
    {
        var seen = "";
        AtomicFolder.Create(target + "-probe", folder => seen = folder);
        Directory.Delete(target + "-probe");
        return Path.GetFileName(seen).Split('-')[2];
    }
}
