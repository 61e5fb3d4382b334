using System.Diagnostics;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>Takes a lap whenever a loop reports a step; whoever runs the loop may take more.</summary>
internal sealed class StepClock : IProgress<RunProgress>, IProgress<(int Step, int Total)>
{
    private long _start = Stopwatch.GetTimestamp();

    /// <summary>Time since the lap before, and the most that was resident until then.</summary>
    public List<(double Seconds, long PeakBytes)> Laps { get; } = [];

    public void Lap()
    {
        Laps.Add((Stopwatch.GetElapsedTime(_start).TotalSeconds, ProcessMemory.PeakBytes));
        _start = Stopwatch.GetTimestamp();
    }

    public void Report(RunProgress value) => Lap();

    public void Report((int Step, int Total) value) => Lap();
}
