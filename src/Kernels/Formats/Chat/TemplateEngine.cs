using System.Reflection;
using Jint;
using Jint.Native;
using Jint.Runtime;

namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>The JavaScript that compiles and renders templates, with no access to anything of ours. Not for two threads at once.</summary>
internal sealed class TemplateEngine
{
    /// <summary>The library and what drives it, parsed once for all templates.</summary>
    private static readonly Lazy<Prepared<Acornima.Ast.Script>> Library = new(() =>
        Engine.PrepareScript(
            // The library's names stay its own, as a module's do.
            $"(function (module) {{{Text("jinja.cjs")}\n}})(module);\n{Text("render.js")}",
            strict: true
        )
    );

    /// <summary>Calls a function. The engine behind it is managed memory only: there is nothing to give back.</summary>
    private readonly Func<string, JsValue[], JsValue> invoke;

    public TemplateEngine(TemplateBounds bounds)
    {
        var engine = new Engine(options =>
        {
            options.Strict = true;
            options.DisableStringCompilation();
            options.MaxStatements(bounds.Statements);
            options.LimitMemory(bounds.MemoryBytes);
            options.LimitRecursion(bounds.Recursion);
            options.TimeoutInterval(TimeSpan.FromSeconds(bounds.Seconds));
            options.Constraints.StackOverflowGuard = true;
            options.Constraints.MaxArraySize = Limits.RenderedChars;
            options.Constraints.RegexTimeout = TimeSpan.FromSeconds(bounds.Seconds);
        });
        engine.SetValue("maxChars", Limits.RenderedChars);
        engine.Execute("var module = { exports: {} };");
        engine.Execute(Library.Value);
        invoke = (function, arguments) => engine.Call(engine.GetValue(function), arguments);
    }

    /// <summary>The program of a template.</summary>
    /// <exception cref="ChatTemplateException">It is not understood, or beyond the bounds.</exception>
    public JsValue Compile(string template) => Bounded("compile", template);

    /// <summary>The text that a program gives for the variables in a JSON object.</summary>
    /// <exception cref="ChatTemplateException">It refuses them, fails, or goes beyond the bounds.</exception>
    public string Render(JsValue program, string input)
    {
        var text = Bounded("render", program, input).AsString();
        return text.Length <= Limits.RenderedChars ? text : throw TooMuch("text");
    }

    private JsValue Bounded(string function, params JsValue[] arguments)
    {
        try
        {
            return invoke(function, arguments);
        }
        catch (JavaScriptException e)
        {
            var reason =
                e.Message.Length > Limits.TemplateMessageChars ? e.Message[..Limits.TemplateMessageChars] : e.Message;
            if (invoke("isRefusal", [e.Error]).AsBoolean())
                throw new ChatTemplateException(
                    ChatTemplateFault.Refused,
                    $"The chat template refuses the conversation: {reason}"
                );
            throw IsOutOfRange(e)
                ? TooMuch("room")
                : new ChatTemplateException(ChatTemplateFault.Invalid, $"The chat template fails: {reason}");
        }
        catch (StatementsCountOverflowException)
        {
            throw TooMuch("work");
        }
        catch (TimeoutException)
        {
            throw TooMuch("time");
        }
        catch (MemoryLimitExceededException)
        {
            throw TooMuch("memory");
        }
        catch (RecursionDepthOverflowException)
        {
            throw TooMuch("depth");
        }
    }

    /// <summary>What the engine throws where the stack ends, and render.js where a text would be too long.</summary>
    private static bool IsOutOfRange(JavaScriptException e) =>
        e.Error is JsError error && error.Get("name").ToString() == "RangeError";

    private static ChatTemplateException TooMuch(string what) =>
        new(ChatTemplateFault.Limit, $"Rendering with the chat template takes more {what} than any real one.");

    private static string Text(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
