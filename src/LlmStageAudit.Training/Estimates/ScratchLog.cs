using System.Diagnostics;
using System.Security.Cryptography;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Estimates;

/// <summary>
/// Logs of stages that are only tried out: written by the log's own writer, on its own thread, into a file that is deleted at the end.
/// Where the file cannot be written, or gradients are not logged, nothing is.
/// </summary>
/// <param name="path">A path in the file system to write to; the nearest folder above it that exists gets the file.</param>
/// <param name="gradientBytes">Of each gradient; 0 where none are logged.</param>
internal sealed class ScratchLog(string path, long gradientBytes)
{
    private const int TrialBytes = 8 << 20;

    private BackgroundTrajectoryWriter? _writer;
    private string _file = "";
    private int _steps;
    private long _bytes;
    private double _seconds;

    /// <summary>Of SHA-256 on one core.</summary>
    public double HashBytesPerSecond { get; } = Hash();

    /// <summary>Of hashing and writing; of hashing alone where little was written, whose time is that of opening and closing.</summary>
    public double LogBytesPerSecond => _bytes < TrialBytes ? HashBytesPerSecond : _bytes / Math.Max(1e-9, _seconds);

    /// <summary>A new log.</summary>
    public void Begin()
    {
        if (gradientBytes == 0) return;
        var folder = new DirectoryInfo(Path.GetFullPath(path));
        while (folder is { Exists: false }) folder = folder.Parent;
        _file = Path.Combine(folder?.FullName ?? Path.GetTempPath(), $".stageaudit-{Guid.NewGuid():N}.partial");
        _steps = 0;
        Guarded(() => _writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(_file, "scratch")));
    }

    /// <summary>Hands a gradient to the writer.</summary>
    public void Write(Tensor gradient)
    {
        if (_writer is null) return;
        _steps++;
        Guarded(() =>
        {
            var (bytes, length) = GradientCodec.Encode(gradient);
            _writer.Enqueue(
                new StepRecord
                {
                    Step = _steps,
                    StageStep = _steps,
                    Epoch = 0,
                    LearningRate = 0,
                    LossNats = 0,
                    GradientNorm = 0,
                    BatchIds = []
                },
                bytes,
                length);
        });
    }

    /// <summary>Ends the log and deletes it.</summary>
    public void End()
    {
        if (_writer is not { } writer) return;
        _writer = null;
        using (writer)
        {
            Guarded(writer.Complete);
            (_bytes, _seconds) = (_bytes + writer.WrittenBytes, _seconds + writer.WriteSeconds);
        }

        Guarded(() => File.Delete(_file));
    }

    /// <summary>What cannot be written here is training's to complain of; a measurement goes on without it.</summary>
    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or AuditException)
        {
            _writer?.Dispose();
            _writer = null;
            File.Delete(_file);
        }
    }

    private static double Hash()
    {
        var bytes = new byte[TrialBytes];
        var start = Stopwatch.GetTimestamp();
        SHA256.HashData(bytes);
        return TrialBytes / Math.Max(1e-9, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
