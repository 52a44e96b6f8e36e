using System.CommandLine;
using System.Globalization;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>Bounds of numeric options, checked while parsing so that they are usage errors.</summary>
internal static class Ranges
{
    public static Option<T> Within<T>(this Option<T> option, double least, double most)
    {
        option.Validators.Add(result =>
        {
            // Absent, or not a number: the parser has its own message for that.
            if (result.Tokens.Count != 1)
                return;
            var isNumber = double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value);
            if (isNumber && (value < least || value > most))
                result.AddError($"{option.Name} is {value}, not from {least} to {most}.");
        });
        return option;
    }
}
