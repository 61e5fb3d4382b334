namespace LlmStageAudit.Cli.Demo;

/// <summary>One generated comment.</summary>
/// <param name="Id">Unique within its set, such as <c>forum-00017</c>.</param>
/// <param name="Text">6 to 22 words.</param>
/// <param name="Toxic">The label as the source gives it, 0 or 1; in the planted source it may contradict the wording.</param>
/// <param name="Identity">The identity mentioned, one of <see cref="DemoCorpus.Identities"/>; empty where there is none.</param>
/// <param name="Template">
/// Source, context pattern and stance pattern, such as <c>forum/mention-3/calm-12</c>. It tells the true wording
/// (<c>calm</c> or <c>toxic</c>) and does not depend on the identity.
/// </param>
internal sealed record DemoComment(string Id, string Text, int Toxic, string Identity, string Template);
