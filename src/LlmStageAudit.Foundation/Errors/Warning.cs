namespace LlmStageAudit.Foundation.Errors;

/// <summary>Something that does not stop the work and makes its result other than it may be taken for.</summary>
/// <param name="Code">What kind it is, for programs: lower-case words joined by hyphens, the same in every version.</param>
/// <param name="Message">One sentence for people: where, what was found, what it means for the result.</param>
public sealed record Warning(string Code, string Message);
