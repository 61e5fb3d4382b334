namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>Counts of one operation's cases.</summary>
internal sealed class CrashTally
{
    public int Points { get; set; }

    /// <summary>Ended by the fault; the others were done before it came.</summary>
    public int Killed { get; set; }

    public int KilledTwice { get; set; }

    /// <summary>Ended with the files of an undisturbed run, to the byte.</summary>
    public int Identical { get; set; }

    /// <summary>
    /// Whole records found after the kill (after a loss of power: those of completed stages, and those that had been flushed).
    /// </summary>
    public int RecordsFound { get; set; }

    /// <summary>Of those, the ones that the finished log does not hold.</summary>
    public int RecordsLost { get; set; }

    /// <summary>Files of stages the manifest called completed that were written again.</summary>
    public int CompletedTouched { get; set; }

    public List<string> Faults { get; } = [];

    public void Fail(string what)
    {
        Faults.Add(what);
        CampaignReport.Fault(what);
    }
}
