using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>The flag of each setting that messages, notes and reports speak of.</summary>
internal static class SettingFlags
{
    public static IReadOnlyDictionary<Setting, string> All { get; } = new Dictionary<Setting, string>
    {
        [Setting.AutomaticChoice] = "--auto",
        [Setting.Budget] = "--budget",
        [Setting.Confidence] = "--confidence",
        [Setting.Confinement] = "--confine",
        [Setting.Confounder] = "--confounder",
        [Setting.Curvature] = "--curvature",
        [Setting.Effects] = "--effects",
        [Setting.EpsilonFloor] = "--epsilon-floor",
        [Setting.Estimators] = "--estimators",
        [Setting.Executor] = "--executor",
        [Setting.Folds] = "--folds",
        [Setting.ForcedStart] = "--force-start",
        [Setting.GradientSource] = "--gradient",
        [Setting.Identity] = "--identity",
        [Setting.LeastRows] = "--least-rows",
        [Setting.LeavingOut] = "--skip",
        [Setting.Level] = "--level",
        [Setting.Method] = "--method",
        [Setting.MinPearson] = "--min-pearson",
        [Setting.Output] = "--out",
        [Setting.Override] = "--set",
        [Setting.PlannedFrom] = "--from",
        [Setting.Probe] = "--probe",
        [Setting.Readout] = "--readout",
        [Setting.ReplayedSteps] = "--replay",
        [Setting.ResumedTraining] = "train --resume",
        [Setting.Resuming] = "--resume",
        [Setting.Rho] = "--rho",
        [Setting.Screen] = "--screen",
        [Setting.Seeds] = "--seeds",
        [Setting.Signers] = "--signers",
        [Setting.SigningKey] = "--key",
        [Setting.Steps] = "--steps",
        [Setting.TopK] = "--top",
        [Setting.Treatment] = "--treatment",
    };
}
