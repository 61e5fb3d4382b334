using System.CommandLine;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of the verbs that certify the head of a ranking under a budget.</summary>
internal static class BudgetOptions
{
    private static readonly Option<string?> s_budget = new("--budget")
    {
        Description = "Spend at most this many trainings of the run (3x): exact replay of everything where that holds it, else a "
            + "screen and exact replay of its top until the head is certain; unlimited: everything",
    };

    private static readonly Option<double?> s_confidence =
        new("--confidence") { Description = "With --budget: how certain the head has to be (0.95)" };
    private static readonly Option<int?> s_top = new("--top") { Description = "With --budget: how many the head holds (1)" };
    private static readonly Option<string?> s_screen = new("--screen")
    {
        Description = "With --budget: what screens, instead of the cost model's choice: adjoint, recorded or sampled",
    };

    public static IReadOnlyList<Symbol> All { get; } = [s_budget, s_confidence, s_top, s_screen];

    /// <summary>What is to be certified, with rho as given by --rho; null without a budget.</summary>
    /// <exception cref="ConfigurationException">Values out of range, or options that need a budget without one.</exception>
    public static CertificationRequest? Read(VerbContext context, double? rho, TopKOrder order)
    {
        if (context.Get(s_budget) is not { } budget)
        {
            Unused(Setting.Confidence, context.Get(s_confidence));
            Unused(Setting.TopK, context.Get(s_top));
            Unused(Setting.Screen, context.Get(s_screen));
            return null;
        }

        var screen = CertificationRequest.ParseScreen(context.Get(s_screen) ?? "auto", rho);
        return new CertificationRequest
        {
            BudgetTrainings = CertificationRequest.ParseBudget(budget),
            Confidence = context.Get(s_confidence) ?? 0.95,
            Top = context.Get(s_top) ?? 1,
            Screen = screen,
            Rho = screen is null ? rho : null,
            Order = order,
        }.Validated();

        static void Unused(Setting setting, object? given)
        {
            if (given is not null)
                throw ConfigurationException.Bad(setting, $"without {Setting.Budget}", $"to be used with {Setting.Budget}");
        }
    }

    /// <summary>What was certified and what it cost.</summary>
    public static void Print(VerbContext context, Certification? certification)
    {
        if (certification is null) return;
        context.Out.WriteLine(Sentence(certification.Finding));
        context.Note(Sentence(certification.Choice));
        context.Note(
            $"spent {Numbers.Plain(certification.SpentGradients)} gradients ({Numbers.Plain(certification.SpentTrainings)}x) of "
            + $"{CertificationRequest.Spelled(certification.BudgetTrainings)}; "
            + $"everything would cost {Numbers.Plain(certification.EverythingGradients)}");

        static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..] + ".";
    }
}
