using System.Text;

namespace LlmStageAudit.Foundation.Files;

/// <summary>
/// Writes a file whole or not at all: beside its target, flushed to disk, then renamed over it, then the folder flushed. When a
/// call returns, both the content and the name are on disk.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes a file's bytes.</summary>
    /// <param name="path">The file to appear; what was there is replaced.</param>
    /// <param name="write">Gets the stream to write to; what it throws leaves the target as it was.</param>
    /// <exception cref="StorageException">The disk is full or fails; the target is as it was, or whole and new.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var target = Path.GetFullPath(path);
        PartialName.Write(target, beside =>
        {
            using (var stream = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                DurableFile.Flush(stream);
            }

            File.Move(beside, target, overwrite: true);
        });
        DurableFolder.Flush(Path.GetDirectoryName(target)!);
    }

    /// <summary>As <see cref="Write"/>, a text as UTF-8 without byte order mark; line ends stay as they are.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
