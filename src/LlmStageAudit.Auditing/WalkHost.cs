using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing;

/// <summary>
/// What every hop of the walk gets beside its request: where to compute, whom to tell how far it is, when to stop. Nothing in it is static
/// and nothing writes to a console, so that any program can host the walk.
/// </summary>
public sealed record WalkHost
{
    /// <summary>Where to compute; asked for late, so that a wrong request is refused before the engine is loaded.</summary>
    public Func<Device> Device { get; init; } = static () => CPU;

    /// <summary>Whom to tell what goes on.</summary>
    public IWalkObserver Observer { get; init; } = WalkObserver.None;

    /// <summary>Checked between steps; a hop that is stopped leaves only what it can go on from.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>What refuses to train where the machine cannot hold it; null to start whatever the machine has.</summary>
    public Preflight? Preflight { get; init; } = new(MachineLimits.Current);

    /// <summary>Says that a run was computed by another engine than the one at hand, wherever bits are compared or continued.</summary>
    public void WarnOfOtherEngine(RunManifest run)
    {
        var differences = RunEngine.Differences(run, Device());
        if (differences.Length == 0) return;
        Observer.Warn(new Warning(
            "other-engine",
            "the run was computed by another engine, so that results agree to rounding "
            + $"and not bit for bit: {string.Join("; ", differences)}"));
    }

    /// <summary>Runs one activity of a hop that walks over steps.</summary>
    internal T Walk<T>(string activity, Func<IProgress<(int Step, int Total)>, T> work) =>
        Observer.Track(activity, progress => work(new Teller<(int Step, int Total)>(
            value => progress.Report(new WalkProgress(value.Step, value.Total)))));

    /// <summary>Runs one activity of a hop that trains.</summary>
    /// <param name="activity">What it is called where progress is shown.</param>
    /// <param name="work">Gets whom to tell of every step.</param>
    /// <param name="stage">How a stage is called where it is shown.</param>
    public T Train<T>(string activity, Func<IProgress<RunProgress>, T> work, Func<string, string>? stage = null) =>
        Observer.Track(activity, progress => work(new Teller<RunProgress>(value => progress.Report(new WalkProgress(
            value.Step, value.TotalSteps, stage?.Invoke(value.Stage) ?? value.Stage, value.LossNats, value.LearningRate)))));
}

/// <summary>Tells on the thread that reports, which <see cref="Progress{T}"/> does not.</summary>
internal sealed class Teller<T>(Action<T> tell) : IProgress<T>
{
    public void Report(T value) => tell(value);
}

/// <summary>Who is told what a hop does.</summary>
public interface IWalkObserver
{
    /// <summary>Runs one activity of a hop, such as training, which reports how far it is, on the thread it runs on.</summary>
    T Track<T>(string activity, Func<IProgress<WalkProgress>, T> work);

    /// <summary>Something worth knowing.</summary>
    void Note(string text);

    /// <summary>Something that makes a result other than it may be taken for.</summary>
    void Warn(Warning warning);
}

/// <summary>The observer that nobody stands behind.</summary>
public static class WalkObserver
{
    /// <summary>Hears nothing.</summary>
    public static IWalkObserver None { get; } = new Silence();

    private sealed class Silence : IWalkObserver
    {
        public T Track<T>(string activity, Func<IProgress<WalkProgress>, T> work) => work(new Teller<WalkProgress>(static _ => { }));

        public void Note(string text)
        {
        }

        public void Warn(Warning warning)
        {
        }
    }
}

/// <summary>How far an activity is.</summary>
/// <param name="Done">Steps done, of <paramref name="Total"/>.</param>
/// <param name="Total">Steps in all.</param>
/// <param name="Stage">What is being trained; null where nothing is.</param>
/// <param name="LossNats">The last step's mean batch loss.</param>
/// <param name="LearningRate">The last step's.</param>
public readonly record struct WalkProgress(
    int Done, int Total, string? Stage = null, double LossNats = double.NaN, double LearningRate = double.NaN);

/// <summary>A record, and the file it was written to.</summary>
/// <param name="Record">As written.</param>
/// <param name="Path">Of the file, in the run folder unless the request said otherwise.</param>
public sealed record Filed<TRecord>(TRecord Record, string Path);
