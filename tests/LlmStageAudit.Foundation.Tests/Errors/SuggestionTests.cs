using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Foundation.Tests.Errors;

public sealed class SuggestionTests
{
    private static readonly string[] s_verbs = ["train", "evaluate", "attribute", "rank", "plan", "retrain", "verify"];

    [Theory]
    [InlineData("trian", "train")]
    [InlineData("atribute", "attribute")]
    [InlineData("Rank", "rank")]
    [InlineData("verfiy", "verify")]
    [InlineData("evalute", "evaluate")]
    public void Typing_errors_are_recognised(string found, string meant) => Assert.Equal(meant, Suggestion.Nearest(found, s_verbs));

    [Theory]
    [InlineData("x")]
    [InlineData("publish")]
    [InlineData("")]
    public void What_is_near_to_nothing_gets_no_suggestion(string found) => Assert.Null(Suggestion.Nearest(found, s_verbs));
}
