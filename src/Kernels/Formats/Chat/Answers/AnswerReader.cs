namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>How an answer is to be read.</summary>
/// <param name="Tools">How tools are called; null: none can be.</param>
/// <param name="Think">How thinking is told from the answer; null: it is not.</param>
/// <param name="BeginsThinking">The template has begun the thinking.</param>
/// <param name="IsTool">Of a name: whether it is a tool's. It decides where nothing marks a call.</param>
/// <param name="IsText">Of a function's parameter: whether it takes text, which some families write bare.</param>
public sealed record AnswerSyntax(
    ToolSyntax? Tools,
    ThinkSyntax? Think,
    bool BeginsThinking = false,
    Func<string, string, bool>? IsText = null,
    Func<string, bool>? IsTool = null
);

/// <summary>
/// Sorts an answer, as it comes, into what is said, what is thought and what is called. Nothing is lost: what looks like the
/// beginning of a call and is none is said as it is. White space between the parts is left out.
/// </summary>
public sealed class AnswerReader
{
    private readonly AnswerSyntax syntax;
    private readonly List<AnswerPiece> pieces = [];
    private string left = "";

    // White space that is said only where more text follows.
    private string space = "";
    private bool isThinking;
    private bool hasSaid;
    private bool hasThought;
    private bool isOver;
    private CallReader? call;
    private int calls;

    public AnswerReader(AnswerSyntax syntax)
    {
        ArgumentNullException.ThrowIfNull(syntax);
        this.syntax = syntax;
        isThinking = hasThought = syntax is { BeginsThinking: true, Think: not null };
    }

    /// <summary>Calls so far.</summary>
    public int Calls => calls;

    /// <summary>What is certain with the next part of the text.</summary>
    public IReadOnlyList<AnswerPiece> Take(string text)
    {
        left += text;
        while (Step()) { }
        return Flush();
    }

    /// <summary>What is left when no more text comes.</summary>
    public IReadOnlyList<AnswerPiece> End()
    {
        isOver = true;
        while (Step()) { }
        if (call is not null)
            EndCall(call.Abandon());
        Tell(left);
        left = "";
        return Flush();
    }

    /// <returns>Whether there may be more to do with what is left.</returns>
    private bool Step()
    {
        if (call is not null)
            return StepCall(call);
        return isThinking ? StepThought(syntax.Think!) : StepSaid();
    }

    private bool StepThought(ThinkSyntax think)
    {
        var (at, certain) = Markers.Find(left, [think.Close], isOver);
        Tell(left[..certain]);
        left = left[certain..];
        if (at is null)
            return false;
        left = left[at.Length..];
        (isThinking, space, hasSaid) = (false, "", false);
        return true;
    }

    private bool StepSaid()
    {
        if (!hasSaid && (StepBegin() ?? StepBareCall()) is { } goesOn)
            return goesOn;
        string[] markers = syntax.Tools is { } tools ? [.. tools.Silent, .. Open(tools)] : [];
        var (at, certain) = Markers.Find(left, markers, isOver);
        Tell(left[..certain]);
        left = left[certain..];
        if (at is null)
            return false;
        left = left[at.Length..];
        if (at == syntax.Tools?.Open)
            call = new CallReader(syntax, at, Tell);
        return true;
    }

    private static string[] Open(ToolSyntax tools) => tools.Open.Length > 0 ? [tools.Open] : [];

    /// <summary>A model that thinks does so first of all.</summary>
    /// <returns>Null: it does not.</returns>
    private bool? StepBegin()
    {
        if (syntax.Think is not { } think || hasThought)
            return null;
        var trimmed = left.TrimStart();
        if (!trimmed.StartsWith(think.Open, StringComparison.Ordinal))
            return !isOver && think.Open.StartsWith(trimmed, StringComparison.Ordinal) ? false : null;
        left = trimmed[think.Open.Length..];
        (isThinking, hasThought, space) = (true, true, "");
        return true;
    }

    /// <summary>Of families without a marker: an answer that begins as an object may be a call.</summary>
    /// <returns>Null: it is none.</returns>
    private bool? StepBareCall()
    {
        if (syntax.Tools is not { Open: "" })
            return null;
        // Several calls are parted by semicolons.
        var trimmed = calls > 0 ? left.TrimStart(' ', '\n', ';') : left.TrimStart();
        if (calls > 0 && trimmed.Length == 0)
            left = "";
        if (!trimmed.StartsWith('{'))
            return left.Length == 0 ? false : null;
        left = trimmed;
        call = new CallReader(syntax, "", Tell);
        return true;
    }

    private bool StepCall(CallReader reading)
    {
        left = reading.Take(left, isOver);
        if (!reading.IsOver)
            return false;
        EndCall(reading.Rest);
        return left.Length > 0;
    }

    /// <param name="rest">What was no call after all.</param>
    private void EndCall(string rest)
    {
        call = null;
        if (rest.Length > 0)
        {
            Tell(rest);
            // It was none; so it is not looked at again.
            hasSaid = true;
        }
        else
        {
            (space, hasSaid) = ("", false);
        }
    }

    private void Tell(string text)
    {
        if (text.Length == 0)
            return;
        text = space + text;
        var told = text.TrimEnd();
        space = text[told.Length..];
        var started = hasSaid ? told : told.TrimStart();
        if (started.Length == 0)
            return;
        hasSaid = true;
        pieces.Add(isThinking ? new Thought(started) : new Said(started));
    }

    private void Tell(AnswerPiece piece)
    {
        switch (piece)
        {
            case Called called:
                pieces.Add(called with { Call = calls++ });
                break;
            case Argued argued when pieces is [.., Argued before]:
                pieces[^1] = before with { Text = before.Text + argued.Text };
                break;
            case Argued argued:
                pieces.Add(argued with { Call = calls - 1 });
                break;
        }
    }

    private AnswerPiece[] Flush()
    {
        AnswerPiece[] told = [.. pieces];
        pieces.Clear();
        return told;
    }
}
