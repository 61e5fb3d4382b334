namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>Counts of one operation's cases under one kind of fault.</summary>
internal sealed class FaultTally
{
    public int Points { get; set; }

    /// <summary>Ended well: the fault hit what is not needed, such as clearing up.</summary>
    public int Done { get; set; }

    /// <summary>Ended with exit code 75: run again to go on.</summary>
    public int Stopped { get; set; }

    /// <summary>Ended with an error of one line and exit code 1.</summary>
    public int Failed { get; set; }

    /// <summary>Run again without the fault, ended with the files of an undisturbed run, to the byte.</summary>
    public int Identical { get; set; }

    public List<string> Faults { get; } = [];

    public void Fail(string what)
    {
        Faults.Add(what);
        CampaignReport.Fault(what);
    }
}
