using System.Diagnostics;

namespace LlmStageAudit.Training.Estimates;

/// <summary>How fast a file system takes bytes until they are on the disk.</summary>
/// <param name="FileSeconds">What a small file takes.</param>
/// <param name="BytesPerSecond">Of a large one.</param>
public readonly record struct DiskSpeed(double FileSeconds, double BytesPerSecond)
{
    private const int SmallBytes = 4 << 10;
    private const int ChunkBytes = 4 << 20;

    /// <summary>Where nothing can be tried out: an ordinary disk.</summary>
    private static readonly DiskSpeed s_assumed = new(0.005, 200e6);

    /// <summary>The seconds that some files of so many bytes together take.</summary>
    public double Seconds(int files, long bytes) => (files * FileSeconds) + (bytes / BytesPerSecond);

    /// <summary>Writes scratch files, deleted at once, beside where the run will lie.</summary>
    /// <param name="path">A path in the file system; the nearest folder above it that exists is written to.</param>
    /// <param name="sizeBytes">How much to write at the most.</param>
    /// <returns>The measured speed; that of an ordinary disk where nothing can be written.</returns>
    public static DiskSpeed Measure(string path, long sizeBytes)
    {
        var folder = new DirectoryInfo(Path.GetFullPath(path));
        while (folder is { Exists: false }) folder = folder.Parent;
        if (folder is null) return s_assumed;
        try
        {
            double[] small = [.. Enumerable.Range(0, 3).Select(_ => Write(folder.FullName, SmallBytes)).Order()];
            var size = Math.Max(sizeBytes, ChunkBytes) / ChunkBytes * ChunkBytes;
            return new DiskSpeed(small[1], size / Math.Max(1e-6, Write(folder.FullName, size) - small[1]));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return s_assumed;
        }
    }

    private static double Write(string folder, long sizeBytes)
    {
        var chunk = new byte[Math.Min(sizeBytes, ChunkBytes)];
        Random.Shared.NextBytes(chunk);
        var scratch = Path.Combine(folder, $".stageaudit-{Guid.NewGuid():N}.partial");
        using var stream = new FileStream(scratch, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        var start = Stopwatch.GetTimestamp();
        for (var written = 0L; written < sizeBytes; written += chunk.Length) stream.Write(chunk);
        stream.Flush(flushToDisk: true);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
