#include "policy/expression/parser.h"

#include <string>
#include <utility>

#include "policy/str_cat.h"

namespace latchkey::policy::expression {
namespace {

using Node = std::unique_ptr<Ast>;

// Recursive descent, in the precedence of CEL. Each method returns nullptr once a fault is set.
class Parser {
 public:
  Parser(std::vector<Token> tokens, Fault& fault) : tokens_(std::move(tokens)), fault_(fault) {}

  Node Run() {
    Node node = Or();
    if (!node) return nullptr;
    if (Peek("?"))
      return Refuse("the conditional operator is not part of the language",
                    "write two rules, or use && and ||");
    if (Current().kind != TokenKind::kEnd) {
      return Refuse(StrCat("unexpected ", Describe(Current()), " after the expression"), "");
    }
    return node;
  }

 private:
  // Counts the nesting of the method it stands in.
  struct Depth {
    explicit Depth(int& depth) : depth(++depth) {}
    ~Depth() { --depth; }
    int& depth;
  };

  Node Or() {
    Depth depth(depth_);
    if (depth_ > kMaxDepth) return TooDeep();
    return Chain("||", AstKind::kOr, &Parser::And);
  }

  Node And() { return Chain("&&", AstKind::kAnd, &Parser::Relation); }

  // A chain a && b && c is one flat node, so that its length costs no depth.
  Node Chain(std::string_view op, AstKind kind, Node (Parser::*operand)()) {
    Node left = (this->*operand)();
    if (!left || !Peek(op)) return left;
    Node chain = Make(kind, left->begin);
    chain->children.push_back(std::move(left));
    while (Take(op)) {
      Node right = (this->*operand)();
      if (!right) return nullptr;
      chain->children.push_back(std::move(right));
    }
    return Close(std::move(chain));
  }

  Node Relation() {
    Node left = Sum();
    if (!left) return nullptr;
    const bool is_in = Current().kind == TokenKind::kName && Current().text == "in";
    if (!is_in && !IsComparison(Current())) return left;
    Node node = Make(is_in ? AstKind::kIn : AstKind::kCompare, left->begin);
    node->text = Current().text;
    ++at_;
    Node right = Sum();
    if (!right) return nullptr;
    if (IsComparison(Current())) {
      return Refuse("comparisons cannot be chained", "join two comparisons with &&");
    }
    node->children.push_back(std::move(left));
    node->children.push_back(std::move(right));
    return Close(std::move(node));
  }

  Node Sum() {
    Node left = Unary();
    if (!left) return nullptr;
    if (Take("-")) {
      Node node = Make(AstKind::kSubtract, left->begin);
      Node right = Unary();
      if (!right) return nullptr;
      node->children.push_back(std::move(left));
      node->children.push_back(std::move(right));
      left = Close(std::move(node));
    }
    for (const std::string_view op : {"+", "-", "*", "/", "%"}) {
      if (Peek(op)) {
        return Refuse("arithmetic is not part of the language",
                      "only now - timestamp is; write other values out");
      }
    }
    return left;
  }

  Node Unary() {
    if (Peek("-")) {
      return Refuse("negative numbers are not part of the language", "no claim is negative");
    }
    if (!Peek("!")) return Postfix();
    Depth depth(depth_);
    if (depth_ > kMaxDepth) return TooDeep();
    Node node = Make(AstKind::kNot, Current().begin);
    ++at_;
    Node operand = Unary();
    if (!operand) return nullptr;
    node->children.push_back(std::move(operand));
    return Close(std::move(node));
  }

  Node Postfix() {
    Node node = Primary();
    for (int length = 0; node && (Peek("[") || Peek(".") || Peek("(")); ++length) {
      if (length == kMaxDepth) return TooDeep();
      if (Peek("[")) {
        node = Index(std::move(node));
      } else if (Peek(".")) {
        node = Member(std::move(node));
      } else if (node->kind == AstKind::kName) {
        node = Call(std::move(node));
      } else {
        return Refuse("only a function can be called", "");
      }
    }
    return node;
  }

  Node Primary() {
    const Token& token = Current();
    switch (token.kind) {
      case TokenKind::kInt:
      case TokenKind::kString: {
        Node node =
            Make(token.kind == TokenKind::kInt ? AstKind::kInt : AstKind::kString, token.begin);
        node->text = token.text;
        node->number = token.number;
        ++at_;
        return Close(std::move(node));
      }
      case TokenKind::kName: {
        const bool literal = token.text == "true" || token.text == "false";
        Node node = Make(literal ? AstKind::kBool : AstKind::kName, token.begin);
        node->text = token.text;
        node->number = token.text == "true" ? 1 : 0;
        ++at_;
        return Close(std::move(node));
      }
      case TokenKind::kOperator:
        if (Peek("(")) return Parenthesis();
        if (Peek("[")) return List();
        break;
      case TokenKind::kEnd:
        break;
    }
    return Refuse(StrCat("expected a value, found ", Describe(token)), "");
  }

  Node Parenthesis() {
    const size_t begin = Current().begin;
    ++at_;
    Node node = Or();
    if (!node || !Expect(")")) return nullptr;
    node->begin = begin;
    return Close(std::move(node));
  }

  Node List() {
    Node node = Make(AstKind::kList, Current().begin);
    ++at_;
    return Elements(std::move(node), "]");
  }

  // The rest of a list or of arguments, up to and with `close`.
  Node Elements(Node node, std::string_view close) {
    if (!Peek(close)) {
      do {
        Node element = Or();
        if (!element) return nullptr;
        node->children.push_back(std::move(element));
      } while (Take(","));
    }
    if (!Expect(close)) return nullptr;
    return Close(std::move(node));
  }

  Node Index(Node receiver) {
    Node node = Make(AstKind::kIndex, receiver->begin);
    ++at_;
    if (Current().kind != TokenKind::kString) {
      return Refuse("an index is a text in quotes", "for instance [\"environment\"]");
    }
    node->text = Current().text;
    ++at_;
    if (!Expect("]")) return nullptr;
    node->children.push_back(std::move(receiver));
    return Close(std::move(node));
  }

  // ".name" continues a dotted name, or calls a method when "(" follows. A segment may be a number:
  // vtpm.pcr.7.
  Node Member(Node receiver) {
    ++at_;
    const Token member = Current();
    if (member.kind != TokenKind::kName && member.kind != TokenKind::kInt) {
      return Refuse(StrCat("expected a name after \".\", found ", Describe(member)), "");
    }
    ++at_;
    if (Peek("(")) {
      Node node = Make(AstKind::kMethod, receiver->begin);
      node->text = member.text;
      node->children.push_back(std::move(receiver));
      ++at_;
      return Elements(std::move(node), ")");
    }
    if (receiver->kind != AstKind::kName) {
      return Refuse(StrCat("\".", member.text, "\" does not follow a name"),
                    "index with [\"...\"]");
    }
    StrAppend(&receiver->text, ".", member.text);
    return Close(std::move(receiver));
  }

  Node Call(Node function) {
    Node node = Make(AstKind::kCall, function->begin);
    node->text = function->text;
    ++at_;
    return Elements(std::move(node), ")");
  }

  static bool IsComparison(const Token& token) {
    if (token.kind != TokenKind::kOperator) return false;
    return token.text == "==" || token.text == "!=" || token.text == "<" || token.text == "<=" ||
           token.text == ">" || token.text == ">=";
  }

  static std::string Describe(const Token& token) {
    if (token.kind == TokenKind::kEnd) return "the end of the expression";
    return StrCat("\"", token.text, "\"");
  }

  const Token& Current() const { return tokens_[at_]; }
  bool Peek(std::string_view op) const {
    return Current().kind == TokenKind::kOperator && Current().text == op;
  }
  bool Take(std::string_view op) {
    if (!Peek(op)) return false;
    ++at_;
    return true;
  }
  bool Expect(std::string_view op) {
    if (Take(op)) return true;
    Refuse(StrCat("expected \"", op, "\", found ", Describe(Current())), "");
    return false;
  }

  static Node Make(AstKind kind, size_t begin) {
    auto node = std::make_unique<Ast>();
    node->kind = kind;
    node->begin = begin;
    return node;
  }
  Node Close(Node node) const {
    node->end = tokens_[at_ - 1].end;
    return node;
  }

  Node Refuse(std::string message, std::string suggestion) {
    fault_ = {Current().begin, Current().end, std::move(message), std::move(suggestion)};
    return nullptr;
  }
  Node TooDeep() {
    return Refuse(StrCat("nested deeper than ", kMaxDepth), "split it into conditions");
  }

  std::vector<Token> tokens_;
  Fault& fault_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::unique_ptr<Ast> ParseExpression(std::string_view text, Fault& fault) {
  std::vector<Token> tokens;
  if (!Lex(text, tokens, fault)) return nullptr;
  return Parser(std::move(tokens), fault).Run();
}

}  // namespace latchkey::policy::expression
