using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Tests.Markup;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(0.123456, "0.1235")]
    [InlineData(9.99996, "10.00")]
    [InlineData(-12.3456, "−12.35")]
    [InlineData(1234567.8, "1,234,568")]
    [InlineData(0.000123456, "0.0001235")]
    [InlineData(-0.00001234321, "−1.234\u00A0×\u00A010⁻⁵")]
    [InlineData(6.02214e23, "6.022\u00A0×\u00A010²³")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "−∞")]
    public void Value_has_four_significant_digits(double value, string expected) => Assert.Equal(expected, NumberText.Value(value));

    [Theory]
    [InlineData(0.02, 0.2, "0.0200 to 0.2000")]
    [InlineData(-12.5, 3, "−12.50 to 3.00")]
    [InlineData(double.NaN, double.NaN, "NaN to NaN")]
    public void Interval_has_the_same_decimals_at_both_ends(double low, double high, string expected) =>
        Assert.Equal(expected, NumberText.Interval(low, high));

    [Theory]
    [InlineData(0.9, "0.9")]
    [InlineData(1e-4, "1\u00A0×\u00A010⁻⁴")]
    [InlineData(0.30000000000000004, "0.3")]
    [InlineData(50, "50")]
    public void Setting_has_the_digits_it_was_written_with(double value, string expected) =>
        Assert.Equal(expected, NumberText.Setting(value));

    [Theory]
    [InlineData(0.5, "0.500 s")]
    [InlineData(59.99, "60.0 s")]
    [InlineData(125.1, "2 min 5 s")]
    [InlineData(7260, "2 h 1 min")]
    public void Duration_has_two_units_at_most(double seconds, string expected) => Assert.Equal(expected, NumberText.Duration(seconds));

    [Theory]
    [InlineData(1, "1 byte")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData(166029852, "158 MiB")]
    public void Size_is_in_powers_of_1024(long bytes, string expected) => Assert.Equal(expected, NumberText.Size(bytes));

    [Theory]
    [InlineData("plain/path-1.json", "plain/path-1.json")]
    [InlineData("two words", "'two words'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("-x", "'-x'")]
    [InlineData("", "''")]
    [InlineData("$(rm)", "'$(rm)'")]
    public void Shell_arguments_are_quoted_where_needed(string argument, string expected) =>
        Assert.Equal(expected, ShellText.Quote(argument));

    [Theory]
    [InlineData("short", 8, "short")]
    [InlineData("exactly8", 8, "exactly8")]
    [InlineData("nine char", 8, "nine ch…")]
    [InlineData("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2, "👩‍👩‍👧…")]
    public void Shortened_text_keeps_whole_characters(string text, int length, string expected) =>
        Assert.Equal(expected, MarkupText.Shorten(text, length));
}
