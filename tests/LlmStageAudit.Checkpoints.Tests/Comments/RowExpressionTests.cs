using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

public sealed class RowExpressionTests
{
    private static readonly string[] Columns = ["n", "m", "empty", "split", "toxic", "Label", "odd name", "half", "one"];
    private static readonly CommentRow Row =
        CommentSet.Of("rows.csv", Columns, [["0.75", "-2", "", "train", "True", "BAD", "x'y", "0.5", "1.0"]]).Rows[0];

    private static RowExpression Parse(string text) => RowExpression.Parse(text, Columns, "audit.yaml, where");

    [Theory]
    [InlineData("n >= 0.5 and split == 'train'", true)]
    [InlineData("n >= 0.5 and split == \"test\"", false)]
    [InlineData("not (split contains 'rai')", false)]
    [InlineData("not split contains 'xyz'", true)]
    [InlineData("toxic == 'True'", true)]
    [InlineData("toxic == 'true'", false)]
    [InlineData("toxic == true", true)]
    [InlineData("toxic != false", true)]
    [InlineData("one == true", true)]
    [InlineData("toxic", true)]
    [InlineData("Label != 'BAD'", false)]
    [InlineData("`odd name` = 'x''y'", true)]
    [InlineData("[odd name] == \"x'y\"", true)]
    [InlineData("n == 7.5e-1", true)]
    [InlineData("one = '1'", true)]
    [InlineData("m < n", true)]
    [InlineData("m > -2.5 AND m <= -2", true)]
    [InlineData("n > m", true)]
    [InlineData("n <> 0.75", false)]
    [InlineData("split in ('test', 'train')", true)]
    [InlineData("m in (1, -2.0)", true)]
    [InlineData("split not in ('test', 'val')", true)]
    [InlineData("split matches '^tr.+n$'", true)]
    [InlineData("split matches 'T'", false)]

    // 'and' binds tighter than 'or', 'not' tighter than both.
    [InlineData("one or m > 0 and m > 0", true)]
    [InlineData("(one or m > 0) and m > 0", false)]
    [InlineData("not m > 0 or one", true)]
    [InlineData("not (m > 0 or one)", false)]
    [InlineData("not not one", true)]
    public void ConditionsHoldOrNot(string text, bool expected) => Assert.Equal(expected, Parse(text).Test(Row));

    [Theory]
    [InlineData("==")]
    [InlineData("!=")]
    [InlineData("<")]
    [InlineData("<=")]
    [InlineData(">")]
    [InlineData(">=")]
    public void WhatAnEmptyCellIsComparedWithIsNotKnown(string relation)
    {
        foreach (var text in (string[])[$"empty {relation} 0.5", $"0.5 {relation} empty", $"n {relation} empty", $"not (empty {relation} 0.5)"])
        {
            Assert.Null(Parse(text).Test(Row));
            Assert.Null(Parse(text).Evaluate(Row));
        }
    }

    /// <summary>The truth tables of SQL's standard: what is not known leaves the answer open unless the other side decides it.</summary>
    [Theory]
    [InlineData("true or empty > 1", true)]
    [InlineData("empty > 1 or one", true)]
    [InlineData("false or empty > 1", null)]
    [InlineData("empty > 1 or empty < 1", null)]
    [InlineData("true and empty > 1", null)]
    [InlineData("empty > 1 and one", null)]
    [InlineData("false and empty > 1", false)]
    [InlineData("empty > 1 and m > 0", false)]
    [InlineData("not (empty > 1 and m > 0)", true)]
    [InlineData("not not empty > 1", null)]
    [InlineData("empty in (1, 2)", null)]
    [InlineData("empty not in (1, 2)", null)]
    [InlineData("n in (0.75, empty)", true)]
    [InlineData("n in (0.5, empty)", null)]
    [InlineData("empty", null)]
    [InlineData("empty contains 'x'", null)]
    [InlineData("not empty matches 'x'", null)]
    [InlineData("empty == 'x' or empty == true", null)]
    public void ConditionsGoOnFromWhatIsNotKnown(string text, bool? expected) => Assert.Equal(expected, Parse(text).Test(Row));

    [Theory]
    [InlineData("nan")]
    [InlineData("NaN")]
    [InlineData("NA")]
    [InlineData("N/A")]
    [InlineData("None")]
    [InlineData("null")]
    [InlineData("<NA>")]
    [InlineData(" ")]
    public void WordsThatPandasReadsAsMissingSayNothing(string cell)
    {
        var row = CommentSet.Of("rows.csv", ["a"], [[cell]]).Rows[0];
        foreach (var text in (string[])["a", "a >= 0.5", "a == 'yes'", "a != 'yes'", "a == true"])
            Assert.Null(RowExpression.Parse(text, ["a"], "test").Test(row));
        // Whoever names the word means it.
        Assert.True(RowExpression.Parse($"a == '{cell}'", ["a"], "test").Test(row));
        Assert.False(RowExpression.Parse($"a != '{cell}'", ["a"], "test").Test(row));
    }

    [Theory]
    [InlineData("text contains 'MUSLIM'", false)]
    [InlineData("text contains 'MUSLIM' ignoring case", true)]
    [InlineData("text contains 'slim'", true)]
    [InlineData("text contains word 'slim'", false)]
    [InlineData("text contains word 'Muslim'", true)]
    [InlineData("text contains word 'muslim' ignoring case and one", true)]
    [InlineData("not (text contains word 'muslim')", true)]
    [InlineData("text contains word 'C++'", true)]
    [InlineData("text matches 'mus.im'", false)]
    [InlineData("text matches 'mus.im' ignoring case", true)]
    [InlineData("text matches word 'M[a-z]*i'", false)]
    [InlineData("text matches word 'M[a-z]*m'", true)]
    [InlineData("text matches '(?P<twice>e).*(?P=twice)'", true)]
    [InlineData("word contains word", true)]
    [InlineData("text contains word", false)]
    public void TextIsSearchedByWordsAndInAnyCase(string condition, bool expected)
    {
        var row = CommentSet.Of("rows.csv", ["text", "word", "one"], [["A Muslim neighbour writes C++.", "x", "1"]]).Rows[0];
        Assert.Equal(expected, RowExpression.Parse(condition, ["text", "word", "one"], "test").Test(row));
    }

    [Fact]
    public void EmptyCellsAreTextOfTheirOwn()
    {
        Assert.True(Parse("empty == ''").Test(Row));
        Assert.False(Parse("empty != ''").Test(Row));
        Assert.False(Parse("n == ''").Test(Row));
        Assert.True(Parse("empty in ('', 'x')").Test(Row));
    }

    [Theory]
    [InlineData("m", -2)]
    [InlineData("one", 1)]
    [InlineData("toxic", 1)]
    [InlineData("n >= 0.5", 1)]
    [InlineData("n >= 0.8", 0)]
    [InlineData("Label == 'BAD'", 1)]
    [InlineData("(m)", -2)]
    [InlineData("0", 0)]
    public void LabelsAreIntegers(string text, long expected) => Assert.Equal(expected, Parse(text).Evaluate(Row));

    [Theory]
    [InlineData("half", "rows.csv, line 2, column 'half': '0.5'; expected an integer")]
    [InlineData("Label", "column 'Label': 'BAD'; expected an integer, true or false; compare it to make a condition, as in: \"Label == 'BAD'\"")]
    [InlineData("split < 3", "column 'split': 'train'; expected a number")]
    [InlineData("3 < split", "column 'split': 'train'; expected a number")]
    [InlineData("split == true", "column 'split': 'train'; expected true, false")]
    public void CellsWithoutMeaningAreErrors(string text, string named)
    {
        var fault = Assert.Throws<CheckpointException>(() => Parse(text).Evaluate(Row));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("splitt == 'train'", "did you mean 'split'?")]
    [InlineData("Label == WORST", "write it in quotes: 'WORST'")]
    [InlineData("Label in (GOOD, WORST)", "write it in quotes: 'GOOD'")]
    [InlineData("n >=", "the end at position 5")]
    [InlineData("", "an empty expression")]
    [InlineData("(n > 1", "expected ')'")]
    [InlineData("n > 1)", "')' at position 6")]
    [InlineData("n > 1 m", "'m' at position 7")]
    [InlineData("n ! 1", "'!' at position 3")]
    [InlineData("split == 'train", "never closed")]
    [InlineData("split > 'a'", "an order with 'a'")]
    [InlineData("0 < n < 1", "not chained")]
    [InlineData("(n > 1) == 1", "a condition at position 1")]
    [InlineData("split matches '('", "the pattern at position 15")]
    [InlineData("split matches n", "a pattern in quotes")]
    [InlineData("split matches word 'a)(b'", "the pattern at position 20")]
    [InlineData("split contains 'a' ignoring", "'case' after 'ignoring'")]
    [InlineData("'text'", "only text")]
    [InlineData("n > 1 and 'text'", "as a condition")]
    [InlineData("12abc == 1", "'12abc' at position 1")]
    [InlineData("n in 1", "'(' after 'in'")]
    [InlineData("and n", "'and' at position 1")]
    public void SyntaxFaultsAreUsageErrors(string text, string named)
    {
        var fault = Assert.Throws<ConfigurationException>(() => Parse(text));
        Assert.StartsWith("audit.yaml, where: ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Request, fault.Kind);
    }

    [Fact]
    public void NestingAndLengthAreBounded()
    {
        Assert.Throws<ConfigurationException>(() => Parse(new string('(', 5_000) + "n" + new string(')', 5_000)));
        Assert.Throws<ConfigurationException>(() => Parse(string.Join(" or ", Enumerable.Repeat("n == 1", 5_000))));
        Assert.True(Parse(string.Join(" or ", Enumerable.Repeat("m > 0", 1_500)) + " or one").Test(Row));
    }

    [Fact]
    public void PatternsThatBacktrackWithoutEndAreStopped()
    {
        var row = CommentSet.Of("rows.csv", ["text"], [[new string('a', 40)]]).Rows[0];
        var expression = RowExpression.Parse("text matches '(a+)+$b|(a|aa)+c(?=x)'", ["text"], "test");
        Assert.Throws<CheckpointException>(() => expression.Test(row));
    }

    [Fact]
    public void ColumnsUsedAreNamedOnce() =>
        Assert.Equal(["n", "odd name", "split"], Parse("n > 1 or `odd name` == 'x' and n < split").ColumnsUsed);
}
