using System.Globalization;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>Puts down what was certified, for how much, and in words.</summary>
internal sealed class CertificationWriter(CostModel cost, ScreeningPlan plan, CertificationRequest request, IMeasure measure)
{
    /// <summary>More names than this are counted.</summary>
    private const int NamesShown = 5;

    public Certification Write(
        IReadOnlyList<ScreenedCandidate> candidates,
        IReadOnlyList<SettledEffect?> settled,
        TopKFinding finding,
        double screenGradients,
        double settleGradients)
    {
        var openGradients = finding.Open.Sum(i => candidates[i].ExactCost);
        return new Certification
        {
            Measure = measure.Name,
            Confounder = (measure as ConfounderGap)?.Confounder,
            Options = request.Options,
            Order = request.Order == TopKOrder.Magnitude ? "magnitude" : "highest",
            Top = request.Top,
            Confidence = request.Confidence,
            BudgetTrainings = request.BudgetTrainings,
            BudgetGradients = plan.BudgetGradients,
            EverythingGradients = plan.EverythingGradients,
            ScreenGradients = screenGradients,
            SpentGradients = screenGradients + settleGradients,
            SpentTrainings = cost.Trainings(screenGradients + settleGradients),
            Screen = plan.Screen,
            Choice = plan.Reason,
            Settled = Names(Enumerable.Range(0, candidates.Count).Where(i => settled[i] is not null)),
            Head = Names(finding.Head),
            Certain = finding.IsCertain,
            ScreeningError = plan.Screen is null ? null : finding.ScreeningError,
            Open = Names(finding.Open),
            OpenGradients = openGradients,
            OpenTrainings = cost.Trainings(openGradients),
            Finding = Sentence(candidates, settled, finding, openGradients),
        };

        string[] Names(IEnumerable<int> numbers) => [.. numbers.Select(i => candidates[i].Name)];
    }

    private string Sentence(
        IReadOnlyList<ScreenedCandidate> candidates, IReadOnlyList<SettledEffect?> settled, TopKFinding finding, double openGradients)
    {
        var certainty = string.Create(CultureInfo.InvariantCulture, $"{100 * request.Confidence:0.###}% certain");
        var head = string.Join(", ", finding.Head.Select(i =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{candidates[i].Name} ({settled[i]?.Value ?? candidates[i].Score:+0.0000;-0.0000;0.0000})")));
        var first = request.Order == TopKOrder.Magnitude ? "changed" : "raised";
        var claim = $"{head} {first} {measure.Name} most";
        if (finding.IsCertain)
        {
            var unsettled = finding.Rest.Count(i => settled[i] is null);
            return unsettled == 0
                ? $"{certainty}: {claim}; every candidate is settled by exact replay"
                : $"{certainty}: {claim}; the screen's error, known from {finding.Errors} settled candidates, "
                    + $"lets none of the {unsettled} others reach it";
        }

        var doubt = $"not {certainty} that {claim}";
        if (finding.Open.Count == 0)
        {
            var rival = candidates[finding.Rest.First(i => settled[i] is not null)].Name;
            return $"{doubt}: on this probe it cannot be told from {rival}; "
                + "more probe examples may decide, more replay does not";
        }

        var shown = string.Join(", ", finding.Open.Take(NamesShown).Select(i => candidates[i].Name));
        if (finding.Open.Count > NamesShown) shown += $" and {finding.Open.Count - NamesShown} more";
        var (are, them) = finding.Open.Count == 1 ? ("is", "it") : ("are", "them");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{doubt}: {shown} {are} not settled and may belong there; the budget does not hold that: "
            + $"settling {them} costs up to {openGradients:0.#} more gradients ({cost.Trainings(openGradients):0.##}x)");
    }
}
