using System.Globalization;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>What happens to a process at one of its calls that change files; see native/faults.c.</summary>
/// <param name="Mode">count, kill, tear, power, enospc, eio or short.</param>
/// <param name="At">Which call, from 1.</param>
/// <param name="IsSticky">Every later call fails too.</param>
internal sealed record Fault(string Mode, int At, bool IsSticky = false)
{
    /// <summary>Whether the process does not live on.</summary>
    public bool Kills => Mode is "kill" or "tear" or "power";

    public string Name => IsSticky ? $"{Mode} from then on" : Mode;

    /// <summary>What a process needs to meet it.</summary>
    /// <param name="root">The folder that it is about.</param>
    /// <param name="shadow">Where what was flushed is kept.</param>
    public Dictionary<string, string> Environment(string root, string shadow)
    {
        var settings = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = FaultShim.Library,
            ["FAULTS_ROOT"] = root,
            ["FAULTS_MODE"] = Mode,
            ["FAULTS_AT"] = At.ToString(CultureInfo.InvariantCulture),
            ["FAULTS_SHADOW"] = shadow,
        };
        if (IsSticky) settings["FAULTS_STICKY"] = "1";
        return settings;
    }

    public override string ToString() => $"{Name} at call {At}";
}
