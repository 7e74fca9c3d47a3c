RuleSet: Simple(type)
* extension 0..0
* value[x] 1..1
* value[x] only {type}

RuleSet: On(context)
* ^context[+].type = #element
* ^context[=].expression = "{context}"
