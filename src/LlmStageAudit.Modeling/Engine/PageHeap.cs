namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Whole pages for large tensors. What a tensor leaves is kept for the next ones, of whatever size: ranges are split, and joined with their
/// neighbours. Before fresh pages are mapped, kept ones go back to the system until what is taken and what is kept together stay within the
/// most that was ever taken at one time and a small allowance. So the peak of resident memory is that of the tensors, the same in every
/// run, and the system seldom has to clear pages, which takes longer than most operators. Any thread may call.
/// </summary>
internal sealed class PageHeap
{
    private const nint Page = 4096;

    /// <summary>Kept beyond the most that was taken: ranges that nothing fits at the moment need not go where there are few and small ones.</summary>
    private const nint Allowance = 16 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<nint, nint> _taken = [];

    // By address. There are some dozens, so looking through them costs nothing beside what a tensor of this size is for.
    private readonly List<(nint Start, nint Length)> _kept = [];
    private nint _keptBytes;
    private nint _takenBytes;
    private nint _mostTakenBytes;

    /// <summary>Bytes that are taken now, in whole pages.</summary>
    public nint TakenBytes => _takenBytes;

    /// <summary>Bytes that are kept now.</summary>
    public nint KeptBytes => _keptBytes;

    /// <summary>At least so many bytes, on a page boundary, with whatever they held before; 0 where the system has no more, or for none.</summary>
    public nint Take(nint bytes)
    {
        if (bytes <= 0 || bytes > nint.MaxValue / 2) return 0;
        var length = (bytes + Page - 1) & -Page;
        lock (_lock)
        {
            var start = TakeKept(length);
            if (start == 0)
            {
                Release(_takenBytes + length + _keptBytes - Math.Max(_mostTakenBytes, _takenBytes + length) - Allowance);
                start = SystemLibrary.MapPages(length);
                if (start == 0) return 0;
            }

            _taken.Add(start, length);
            _takenBytes += length;
            _mostTakenBytes = Math.Max(_mostTakenBytes, _takenBytes);
            return start;
        }
    }

    /// <summary>Gives back what <see cref="Take"/> returned; false where it did not.</summary>
    public bool Leave(nint start)
    {
        if ((start & (Page - 1)) != 0) return false;
        lock (_lock)
        {
            if (!_taken.Remove(start, out var length)) return false;
            _takenBytes -= length;
            Keep(start, length);
            return true;
        }
    }

    /// <summary>Gives all that is kept back to the system; the most taken begins anew at what is taken now.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            Release(_keptBytes);
            _mostTakenBytes = _takenBytes;
        }
    }

    /// <summary>The shortest kept range that is long enough; what is left of it stays.</summary>
    private nint TakeKept(nint length)
    {
        var best = Shortest(length);
        if (best < 0) return 0;
        var (start, found) = _kept[best];
        if (found == length) _kept.RemoveAt(best);
        else _kept[best] = (start + length, found - length);
        _keptBytes -= length;
        return start;
    }

    private int Shortest(nint least)
    {
        var best = -1;
        for (var i = 0; i < _kept.Count; i++)
        {
            if (_kept[i].Length >= least && (best < 0 || _kept[i].Length < _kept[best].Length)) best = i;
        }

        return best;
    }

    private void Keep(nint start, nint length)
    {
        _keptBytes += length;
        var at = ~_kept.BinarySearch((start, 0));
        if (at < _kept.Count && start + length == _kept[at].Start)
        {
            length += _kept[at].Length;
            _kept.RemoveAt(at);
        }

        if (at > 0 && _kept[at - 1].Start + _kept[at - 1].Length == start) _kept[at - 1] = (_kept[at - 1].Start, _kept[at - 1].Length + length);
        else _kept.Insert(at, (start, length));
    }

    /// <summary>The shortest ranges first, which fit the fewest tensors; of the last one only its end.</summary>
    private void Release(nint bytes)
    {
        for (var left = (bytes + Page - 1) & -Page; left > 0 && _kept.Count > 0;)
        {
            var shortest = Shortest(0);
            var (start, length) = _kept[shortest];
            var released = Math.Min(length, left);
            SystemLibrary.UnmapPages(start + length - released, released);
            if (released == length) _kept.RemoveAt(shortest);
            else _kept[shortest] = (start, length - released);
            _keptBytes -= released;
            left -= released;
        }
    }
}
