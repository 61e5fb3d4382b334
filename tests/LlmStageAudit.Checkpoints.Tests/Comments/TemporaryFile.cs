using System.Text;
using LlmStageAudit.Checkpoints.Comments;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

/// <summary>Reads a comment set from bytes or text by way of a file of its own.</summary>
internal static class TemporaryFile
{
    public static CommentSet Read(string extension, string text) => Read(extension, new UTF8Encoding(false).GetBytes(text));

    public static CommentSet Read(string extension, byte[] bytes)
    {
        var path = Path.Combine(Path.GetTempPath(), $"comments-{Guid.NewGuid():N}{extension}");
        try
        {
            File.WriteAllBytes(path, bytes);
            return CommentSet.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static CheckpointException Fault(string extension, string text) =>
        Assert.Throws<CheckpointException>(() => Read(extension, text));
}
