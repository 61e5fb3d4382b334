using LlmStageAudit.Records.Progress;

namespace LlmStageAudit.Attribution.Resuming;

/// <summary>One walk over the log's steps, in whichever direction, that may go on from where an earlier process left it.</summary>
internal sealed class Walk
{
    private const string DoneName = "done";
    private const string SecondsName = "seconds";

    private readonly WalkJournal? _journal;
    private readonly string _path;
    private readonly byte[] _key;
    private WalkState? _resumed;

    /// <summary>Reads the file of an earlier process, where there is one.</summary>
    /// <exception cref="ProgressException">The file is damaged.</exception>
    public Walk(WalkJournal? journal, string path, byte[] key)
    {
        (_journal, _path, _key) = (journal, path, key);
        if (journal is not { Resumes: true } || ProgressFile.Read(path, key) is not { } values) return;
        _resumed = new WalkState(path, values);
        Done = (int)_resumed.Number(DoneName);
        SecondsBefore = _resumed.Number(SecondsName);
    }

    public static Walk Unkept { get; } = new(null, "", []);

    /// <summary>Steps already walked; the walk only follows the observed run over them.</summary>
    public int Done { get; }

    public double SecondsBefore { get; }

    /// <summary>To be called after each step, with what puts the state after it, or null where it cannot be put at this step.</summary>
    public void Passed(int done, int total, Action<WalkState>? save, Action<WalkState> restore)
    {
        if (done < Done || _journal is null) return;
        if (done == Done)
        {
            restore(_resumed!);
            _resumed = null;
            return;
        }

        if (save is null || !_journal.IsDue(atEnd: done == total)) return;
        var state = new WalkState(_path, []);
        state.Put(DoneName, [done]);
        state.Put(SecondsName, [_journal.Seconds]);
        save(state);
        ProgressFile.Write(_path, _key, state.Values);
        _journal.Saved();
    }
}
