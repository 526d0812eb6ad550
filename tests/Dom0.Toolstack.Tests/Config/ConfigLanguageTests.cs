// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Config;
using Xunit;

namespace Dom0.Toolstack.Tests.Config;

public sealed class ConfigLanguageTests
{
    private static ConfigDocument Evaluate(string source, params (string Name, string Value)[] arguments) =>
        ConfigInterpreter.Evaluate(source, "test.cfg", arguments.ToDictionary(pair => pair.Name, pair => pair.Value));

    private static string Value(string expression) => Evaluate($"x = {expression}")["x"]!.Literal;

    private static ConfigException Refusal(string source, params (string Name, string Value)[] arguments) =>
        Assert.Throws<ConfigException>(() => Evaluate(source, arguments));

    [Theory]
    [InlineData("'a' \"b\" '''c'''", "'abc'")]
    [InlineData("'a\\n\\x41\\101\\q'", "'a\\nAA\\\\q'")]
    [InlineData("r'a\\n'", "'a\\\\n'")]
    [InlineData("0x1F + 010 + 1", "40")]
    [InlineData("7 + 2 * 3 - 1", "12")]
    [InlineData("5 - 0", "5")]
    [InlineData("-7 // 2", "-4")]
    [InlineData("-7 % 3", "2")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("'VM%d' % 5", "'VM5'")]
    [InlineData("'%s-%02d-%x%%' % ('a', 7, 255)", "'a-07-ff%'")]
    [InlineData("'%-5s|%5d|%05d' % ('ab', 42, -42)", "'ab   |   42|-0042'")]
    [InlineData("['a', 'b',] + ['c']", "['a', 'b', 'c']")]
    [InlineData("[1, [2, 3]][1][0]", "2")]
    [InlineData("('a', 'b')[-1]", "'b'")]
    [InlineData("'x' * 3", "'xxx'")]
    [InlineData("1 < 2 and 'yes' or 'no'", "'yes'")]
    [InlineData("not 0", "True")]
    [InlineData("'b' in 'abc'", "True")]
    [InlineData("2 not in [1, 3]", "True")]
    [InlineData("'a' if 0 else 'b'", "'b'")]
    [InlineData("int(' 42 ') + len('abc')", "45")]
    [InlineData("str(5) + 'x'", "'5x'")]
    [InlineData("None", "None")]
    [InlineData("None is None", "True")]
    [InlineData("None is not None", "False")]
    public void An_expression_has_the_value_that_Python_gives_it(string expression, string expected) =>
        Assert.Equal(expected, Value(expression));

    [Fact]
    public void Comments_blank_lines_continuations_and_semicolons_are_understood()
    {
        ConfigDocument document = Evaluate("""
            # a comment
            a = 1; b = 2   # another

            c = [ 'x',     # inside a list
                  'y' ]
            d = 'one' + \
                'two'
            """);
        Assert.Equal(["a", "b", "c", "d"], document.Names);
        Assert.Equal("['x', 'y']", document["c"]!.Literal);
        Assert.Equal("'onetwo'", document["d"]!.Literal);
    }

    [Fact]
    public void A_file_of_xl_may_indent_lines_and_append_to_lists()
    {
        ConfigDocument document = Evaluate("name=\"guest\"\n  memory = 128\ndisk = [ 'a' ]\ndisk += [ 'b' ]\n");
        Assert.Equal("128", document["memory"]!.Text);
        Assert.Equal("['a', 'b']", document["disk"]!.Literal);
    }

    [Fact]
    public void Windows_line_ends_and_a_byte_order_mark_do_no_harm()
    {
        ConfigDocument document = Evaluate("\uFEFFname = 'x'\r\nmemory = 64\r\n");
        Assert.Equal("'x'", document["name"]!.Literal);
        Assert.Equal("64", document["memory"]!.Text);
    }

    [Fact]
    public void A_file_with_vmid_computes_from_the_command_line()
    {
        const string Source = """
            def vmid_check(var, val):
                val = int(val)
                if val <= 0:
                    raise ValueError
                return val

            xm_vars.var('vmid',
                        use="Virtual machine id. Integer greater than 0.",
                        check=vmid_check)
            xm_vars.check()
            name = "VM%d" % vmid
            disk = [ 'phy:sda%d,sda1,w' % (7+vmid), 'phy:sda6,sda6,r' ]
            extra = "4 VMID=%d" % vmid
            """;
        ConfigDocument document = Evaluate(Source, ("vmid", "3"));
        Assert.Equal("VM3", document["name"]!.Text);
        Assert.Equal("['phy:sda10,sda1,w', 'phy:sda6,sda6,r']", document["disk"]!.Literal);

        ConfigException missing = Refusal(Source);
        Assert.Contains("'vmid'", missing.Message);
        Assert.Contains("Virtual machine id", missing.Message);
        Assert.Equal("Add vmid=VALUE to the command line", missing.Remedy);

        ConfigException negative = Refusal(Source, ("vmid", "-1"));
        Assert.Contains("refuses vmid=-1", negative.Message);
        Assert.Equal(4, negative.Position.Line);

        Assert.Contains("refuses vmid=abc", Refusal(Source, ("vmid", "abc")).Message);
    }

    [Fact]
    public void The_machine_examples_with_os_uname_are_understood()
    {
        ConfigDocument document = Evaluate("""
            import os, re
            arch = os.uname()[4]
            if re.search('64', arch):
                arch_libdir = 'lib64'
            else:
                arch_libdir = 'lib'
            kernel = '/usr/' + arch_libdir + '/k'
            """);
        Assert.Equal("/usr/lib64/k", document["kernel"]!.Text);
        Assert.True(document.IsHelper("arch_libdir"));
        Assert.False(document.IsHelper("kernel"));
    }

    [Fact]
    public void An_argument_has_the_last_word_over_the_file()
    {
        ConfigDocument document = Evaluate("memory = 64\nname = 'a'\n", ("memory", "128"), ("disk", "['x', 'y']"),
            ("name", "b"));
        Assert.Equal(128, Assert.IsType<ConfigNumber>(document["memory"]).Value);
        Assert.Equal(2, Assert.IsType<ConfigList>(document["disk"]).Items.Count);
        Assert.Equal("argument name", document["name"]!.Position.ToString());
    }

    [Theory]
    [InlineData("a = 1\nb = 'open\n", 2, 5, "does not end")]
    [InlineData("a = [ 'x', 'y'\nb = 2\n", 2, 1, "the '[' stands at test.cfg:1:5")]
    [InlineData("a = $\n", 1, 5, "'$' has no meaning")]
    [InlineData("a = \n", 1, 5, "expected a value")]
    [InlineData("a b\n", 1, 3, "expected the end of the line")]
    [InlineData("a = b\n", 1, 5, "'b' has no value")]
    [InlineData("a = 1 + 'x'\n", 1, 7, "'+' does not join a number and a string")]
    [InlineData("a = 1.5\n", 1, 5, "whole numbers")]
    [InlineData("a = 12abc\n", 1, 5, "is not a number")]
    [InlineData("a = 99999999999999999999\n", 1, 5, "too large")]
    [InlineData("a = 1 / 0\n", 1, 7, "division by zero")]
    [InlineData("a = 'x' - 1\n", 1, 9, "'-' does not apply to a string and a number")]
    [InlineData("a = -9223372036854775807 - 2\n", 1, 26, "does not fit into 64 bits")]
    [InlineData("a = (-9223372036854775807 - 1) / -1\n", 1, 32, "does not fit into 64 bits")]
    [InlineData("a = [1][3]\n", 1, 9, "no element 3")]
    [InlineData("a = '%d' % 'x'\n", 1, 10, "%d wants a number")]
    [InlineData("a = '%d %d' % 1\n", 1, 13, "more than 1 value")]
    [InlineData("a = '%d' % (1, 2)\n", 1, 10, "uses 1 of 2")]
    [InlineData("while 1:\n  a = 2\n", 1, 1, "'while' is not part")]
    [InlineData("for x in [1]:\n  a = 2\n", 1, 1, "'for' is not part")]
    [InlineData("a = [x for x in y]\n", 1, 8, "comprehensions")]
    [InlineData("a = {'b': 1}\n", 1, 5, "dictionaries")]
    [InlineData("a = lambda: 1\n", 1, 5, "'lambda'")]
    [InlineData("import subprocess\n", 1, 8, "'subprocess' is not available")]
    [InlineData("import os\nos.system('id')\n", 2, 10, "os.system() is not available")]
    [InlineData("def f(x):\nreturn x\n", 2, 1, "an indented line")]
    [InlineData("def f(x):\n  return x\na = f()\n", 3, 6, "lacks its argument 'x'")]
    [InlineData("a.b = 1\n", 1, 1, "only a plain name")]
    [InlineData("raise ValueError('bad')\n", 1, 1, "bad")]
    public void A_mistake_is_reported_where_it_stands(string source, int line, int column, string words)
    {
        ConfigException refusal = Refusal(source);
        Assert.Equal(new SourcePosition("test.cfg", line, column), refusal.Position);
        Assert.Contains(words, refusal.Message);
        Assert.StartsWith($"test.cfg:{line}:{column}: ", refusal.Message);
    }

    [Fact]
    public void A_file_that_calls_itself_for_ever_is_refused()
    {
        Assert.Contains("nested deeper", Refusal("def f(x):\n  return f(x)\na = f(1)\n").Message);
        Assert.Contains("levels", Refusal("a = " + new string('(', 500) + "1" + new string(')', 500) + "\n").Message);
        Assert.Contains("levels", Refusal("a = " + new string('[', 500) + new string(']', 500) + "\n").Message);
        Assert.Contains("nested deeper", Refusal("a = " + string.Join('+', Enumerable.Repeat("1", 5000))
            + "\n").Message);
        Assert.Contains("nesting", Refusal("if 1: " + string.Concat(Enumerable.Repeat("if 1: ", 500))
            + "a = 1\n").Message);
    }

    [Fact]
    public void A_file_that_doubles_without_end_is_refused()
    {
        string doubling = "a = 'x' * 60000\n" + string.Concat(Enumerable.Repeat("a = a + a\n", 40));
        Assert.Contains("more than 65536 characters", Refusal(doubling).Message);
        Assert.Contains("more than 65536 characters", Refusal("a = 'xy' * 9000000000\n").Message);
        string lists = "a = [1, 2]\n" + string.Concat(Enumerable.Repeat("a = a + a\n", 40));
        Assert.Contains("elements", Refusal(lists).Message);
        Assert.Contains("65536", Refusal("a = '%999999999d%999999999d' % (1, 2)\n").Message);
        string calls = "def f(x):\n  return 1\ndef g(x):\n  return " +
            string.Join('+', Enumerable.Repeat("f(x)", 50)) + "\ndef h(x):\n  return " +
            string.Join('+', Enumerable.Repeat("g(x)", 50)) + "\na = " +
            string.Join('+', Enumerable.Repeat("h(1)", 50)) + "\n";
        Assert.Contains("steps", Refusal(calls).Message);
    }

    [Fact]
    public void A_binary_file_is_refused_by_name()
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => ConfigInterpreter.Evaluate("\u007fELF\0\0", "/boot/vmlinuz", new Dictionary<string, string>()));
        Assert.Contains("/boot/vmlinuz is not a text file", refusal.Message);
    }
}
