using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of the verbs whose long walks can be gone on with after they broke off.</summary>
internal static class ResumeOptions
{
    private static readonly Option<bool> s_resume = new("--resume")
    {
        Description = "Go on where the same command broke off; the result is the same to the bit",
    };

    private const double SaveEverySeconds = 60;

    private static readonly Option<double?> s_saveEvery = new("--save-every")
    {
        Description = $"Seconds between files that --resume goes on from ({SaveEverySeconds}); 0: after every step",
    };

    public static IReadOnlyList<Symbol> All { get; } = [s_resume, s_saveEvery];

    /// <summary>
    /// The journal of one attribution, beside its effects; what was kept of another one with other settings is not gone on with.
    /// </summary>
    /// <param name="id">The name of the effects' file.</param>
    public static WalkJournal Open(
        VerbContext context, TrainedRun run, Probe probe, string id, AttributionRequest request, CertificationRequest? certification)
    {
        var seconds = context.Get(s_saveEvery) ?? SaveEverySeconds;
        if (!(seconds is >= 0 and <= 86_400))
            throw ConfigurationException.At("--save-every", $"'{Numbers.Plain(seconds)}'", "seconds from 0 to 86400");
        var asked = JsonSerializer.Serialize(
            new
            {
                run.Manifest.RunId,
                Probe = probe.Configuration,
                probe.Reference,
                Estimator = request.Estimator.Id,
                request.Level,
                request.Treatment,
                request.Steps,
                request.Folds,
                Certification = certification,
                Engine = RunEngine.Describe(run.Model.Device),
            },
            ArtifactJson.CompactOptions);
        return WalkJournal.Open(run.Folder.ProgressFolder(id), asked, TimeSpan.FromSeconds(seconds), context.Get(s_resume));
    }

    /// <summary>Says what did not have to be done again.</summary>
    public static void Note(VerbContext context, WalkJournal journal)
    {
        if (!journal.Resumes) return;
        context.Note(journal.StepsResumed == 0
            ? "nothing was kept of this attribution: it was done from its beginning"
            : $"went on after {journal.StepsResumed} steps that were walked before");
    }
}
