using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Attribution.Resuming;

/// <summary>
/// Keeps how far the walks of an attribution came, so that one that was broken off goes on from there to the same bits. An
/// attribution is a fixed sequence of walks over the log (replays, sweeps, propagations); each files its state now and then.
/// </summary>
public sealed class WalkJournal
{
    /// <summary>A walk shorter than this is not worth a file at its end.</summary>
    private static readonly TimeSpan s_worthKeeping = TimeSpan.FromSeconds(5);

    private readonly string? _folder;
    private readonly string _asked;
    private readonly TimeSpan _interval;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _savedAt;
    private int _walks;

    private WalkJournal(string? folder, string asked, TimeSpan interval, bool resumes) =>
        (_folder, _asked, _interval, Resumes) = (folder, asked, interval, resumes);

    /// <summary>Keeps nothing.</summary>
    public static WalkJournal None { get; } = new(null, "", TimeSpan.MaxValue, resumes: false);

    /// <summary>Whether it goes on from files of an earlier process, where there are any.</summary>
    public bool Resumes { get; }

    /// <summary>Seconds that earlier processes spent on what was gone on with.</summary>
    public double SecondsBefore { get; private set; }

    /// <summary>Steps that did not have to be walked again.</summary>
    public int StepsResumed { get; private set; }

    /// <summary>A journal in a folder.</summary>
    /// <param name="folder">Where files go; made when the first one is written.</param>
    /// <param name="asked">Everything that decides the result: progress of anything else is left alone and overwritten.</param>
    /// <param name="interval">The least time between files; zero: after every step.</param>
    /// <param name="resumes">Whether to go on from what is there; otherwise it is deleted.</param>
    public static WalkJournal Open(string folder, string asked, TimeSpan interval, bool resumes)
    {
        var journal = new WalkJournal(folder, asked, interval, resumes);
        if (!resumes) journal.Close();
        return journal;
    }

    /// <summary>Deletes the files: the attribution is complete and its result on disk.</summary>
    public void Close()
    {
        if (_folder is not null && Directory.Exists(_folder))
            StorageException.Guard(_folder, () => Directory.Delete(_folder, recursive: true));
    }

    /// <summary>Begins the next walk.</summary>
    /// <param name="identity">What it computes, beyond what was asked for as a whole.</param>
    internal Walk Begin(string identity)
    {
        if (_folder is null) return Walk.Unkept;
        var number = ++_walks;
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"walk-{number:000}.progress"));
        var key = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_asked}\n{number}\n{identity}")));
        var walk = new Walk(this, path, key);
        SecondsBefore = Math.Max(SecondsBefore, walk.SecondsBefore);
        StepsResumed += walk.Done;
        return walk;
    }

    internal bool IsDue(bool atEnd)
    {
        var since = _watch.Elapsed - _savedAt;
        return since >= _interval || (atEnd && since >= s_worthKeeping);
    }

    internal double Seconds => SecondsBefore + _watch.Elapsed.TotalSeconds;

    internal void Saved() => _savedAt = _watch.Elapsed;
}
