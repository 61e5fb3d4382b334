using LlmStageAudit.Checkpoints.Comments.Rows;

namespace LlmStageAudit.Checkpoints.Comments.Expressions;

/// <summary>A part of an expression.</summary>
internal abstract class Term
{
    public abstract bool Test(CommentRow row);

    public virtual long Evaluate(CommentRow row) => Test(row) ? 1 : 0;
}

internal sealed class Either(Term left, Term right) : Term
{
    public override bool Test(CommentRow row) => left.Test(row) || right.Test(row);
}

internal sealed class Both(Term left, Term right) : Term
{
    public override bool Test(CommentRow row) => left.Test(row) && right.Test(row);
}

internal sealed class Negation(Term inner) : Term
{
    public override bool Test(CommentRow row) => !inner.Test(row);
}
